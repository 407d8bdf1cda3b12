"""LiveLight inside GStreamer pipelines: the element ``livelightrelight``."""
