"""The whole program against a real S3 server and a real InfluxDB."""
