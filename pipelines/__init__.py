"""What a user runs, composed from livelight, trt_engines and offline."""
