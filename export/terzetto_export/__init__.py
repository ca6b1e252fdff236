"""Where the models come from: networks, data sets, recipes, and their way to ONNX. Needs PyTorch."""
