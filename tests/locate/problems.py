"""Small problems that the tests of `locate` share: every kind of loss, penalty and optimizer, layers of equal width."""

from bench.locate.problems import spec_of

HIDDEN = [(5, "tanh"), (6, "sigmoid")]
DECAY = {"name": "exponential_decay", "initial_learning_rate": 0.2, "decay_steps": 1, "decay_rate": 0.5}


def _small(optimizer, **options):
    return spec_of([4, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", optimizer, **options)


PROBLEMS = {
    "classes": spec_of([7, *HIDDEN, (3, "softmax")], "categorical_crossentropy"),
    "square": spec_of([5, (5, "tanh"), (5, "sigmoid"), (5, "softmax")], "categorical_crossentropy"),
    "relu": spec_of([7, (6, "relu"), (5, "relu"), (3, "softmax")], "categorical_crossentropy", batch_size=8),
    "numbers": spec_of([5, (6, "tanh"), (3, "relu"), (2, "linear")], "mean_squared_error"),
    "squares": spec_of([4, (5, "sigmoid"), (3, "sigmoid")], "sum_of_squared_errors"),
    "softmax-squares": spec_of([4, (5, "tanh"), (3, "softmax")], "mean_squared_error"),
    "binary": spec_of([4, (5, "tanh"), (3, "sigmoid")], "binary_crossentropy"),
    "summed": spec_of([5, (4, "silu"), (2, "sigmoid")], "summed_binary_crossentropy"),
    "absolute": spec_of([4, (5, "elu"), (3, "softplus")], "mean_absolute_error"),
    "deep": spec_of([6, (5, "tanh"), (7, "sigmoid"), (5, "tanh"), (3, "softmax")], "categorical_crossentropy"),
    "deep-binary": spec_of([6, (5, "relu"), (7, "silu"), (4, "elu"), (3, "sigmoid")], "binary_crossentropy"),
    "deep-numbers": spec_of(
        [5, (6, "softplus"), (4, "leaky_relu"), (5, "tanh"), (2, "linear")],
        "mean_squared_error",
    ),
    "deep-momentum": spec_of(
        [6, (5, "sigmoid"), (4, "tanh"), (7, "softplus"), (3, "softmax")],
        "sparse_categorical_crossentropy",
        {"learning_rate": 0.1, "momentum": 0.9},
    ),
    "deep-adam": spec_of(
        [6, (7, "elu"), (5, "sigmoid"), (4, "silu"), (2, "sigmoid")],
        "summed_binary_crossentropy",
        {"name": "adam", "learning_rate": 0.01},
    ),
    "huber": spec_of([4, (5, "tanh"), (3, "linear")], "huber"),
    "shallow": spec_of([6, (3, "softmax")], "categorical_crossentropy"),
    "penalty": _small({"learning_rate": 0.1}, regularization={"l1": 0.03, "l2": 0.05}),
    "smoothed": _small({"learning_rate": 0.1}, label_smoothing=0.2),
    "weighted": _small({"learning_rate": 0.1}, sample_weight_range=(0.5, 2.0)),
    "dropout": spec_of([4, (8, "tanh", 0.5), (3, "softmax")], "categorical_crossentropy"),
    "clipped": _small({"learning_rate": 0.1, "clipnorm": 0.3}),
    "schedule": _small({"learning_rate": DECAY}),
    "momentum": _small({"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": _small({"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": _small({"name": "adam", "learning_rate": 0.01}),
    "adamw": _small({"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}),
    "rmsprop": _small({"name": "rmsprop", "learning_rate": 0.01}),
    "adagrad": _small({"name": "adagrad", "learning_rate": 0.01}),
}
