"""What the flow and server tests share."""
