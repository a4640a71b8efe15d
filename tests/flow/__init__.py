"""The whole program against scripted servers."""
