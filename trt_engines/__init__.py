"""From weights to TensorRT engines: export, spec, build, store, verify, bench."""
