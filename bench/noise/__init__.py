"""The noise floor of float32: how far Keras drifts from itself, beside how far scratchnet drifts from Keras.

`scratchbench noise` trains every variant from it and compares the costs step by step.
"""
