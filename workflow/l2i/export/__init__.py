"""Models in files that other programs run: all of an explanation as one graph, in ONNX."""
