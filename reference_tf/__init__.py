"""The network of a spec as plain Keras, and the ways that TensorFlow can train it.

The backends `keras-fit`, `keras-fit-tuned`, `tf-graph` and `tf-xla` use it.
"""
