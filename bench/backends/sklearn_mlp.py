"""`sklearn` as a backend: scikit-learn's `MLPClassifier`, one pass of its own training loop per epoch.

Everything that is timed is the gather of the epoch's rows and `MLPClassifier.partial_fit`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier
from sklearn.utils import gen_batches

from bench.core.errors import UnsupportedError
from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from scratchnet.dropout import Mask

ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "linear": "identity"}
ONE_OF_CLASSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
LOSSES = (*ONE_OF_CLASSES, "summed_binary_crossentropy")
OPTIMIZERS = {
    "sgd": lambda given: {"momentum": given.momentum, "nesterovs_momentum": given.nesterov},
    "adam": lambda given: {"beta_1": given.beta_1, "beta_2": given.beta_2, "epsilon": given.epsilon},
}


class SklearnMlp:
    """See `backends.protocol.Backend`. The thread budget reaches BLAS through the worker's environment.

    With `shuffle=False`, `partial_fit` is one pass over the rows as they stand, cut by `gen_batches`: the rows are
    gathered before, since its own shuffling uses another order. `assume_finite` leaves out a pass over all
    examples that looks for NaN. In float32, Adam's steps are computed in float64 with NumPy 2, because the corrected
    rate is a NumPy number there; this is scikit-learn's own doing, and no option changes it.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        batch_size = min(spec.batch_size, len(x))
        if reason := self.unsupported(spec) or _unequal_penalties(spec, len(x) % batch_size):
            raise UnsupportedError(reason)
        self._x, self._outputs = x, y.shape[1]
        self._y = np.argmax(y, axis=1) if spec.loss in ONE_OF_CLASSES else y.astype(np.int8)
        self._model = _untrained(spec, batch_size, x, self._y)
        self.set_parameters(parameters)

    @staticmethod
    def unsupported(spec: TrainingSpec) -> str:
        """Why scikit-learn cannot train that spec; "" where it can."""
        layers, optimizer = spec.architecture.layers, spec.optimizer
        hidden = {layer.activation for layer in layers[:-1]}
        obstacles = {
            f"loss {spec.loss}": spec.loss not in LOSSES,
            "label smoothing": bool(spec.label_smoothing),
            f"hidden activation {', '.join(sorted(hidden - {*ACTIVATIONS}))}": not hidden <= {*ACTIVATIONS},
            f"layers of different activations ({', '.join(sorted(hidden))})": len(hidden) > 1,
            "softmax over two classes (it has one sigmoid there)": spec.loss in ONE_OF_CLASSES
            and layers[-1].units == 2,
            "multi-label loss of one output": spec.loss not in ONE_OF_CLASSES and layers[-1].units == 1,
            f"optimizer {optimizer.name}": optimizer.name not in OPTIMIZERS,
            "learning-rate schedule by step": not isinstance(optimizer.learning_rate, float),
            "gradient clipping": any((optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue)),
            "L1 penalty": bool(spec.regularization.l1),
            "dropout": any(layer.dropout for layer in layers),
            "mean over a batch of weighted examples (it divides by the sum of weights)": bool(
                spec.class_weights or spec.sample_weight_range
            ),
        }
        return next((f"scikit-learn has no {what}" for what, stands in obstacles.items() if stands), "")

    def parameters(self) -> Parameters:
        layers = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        return [(coefficients.T.copy(), intercepts.copy()) for coefficients, intercepts in layers]

    def set_parameters(self, parameters: Parameters) -> None:
        layers = zip(self._model.coefs_, self._model.intercepts_, parameters, strict=True)
        for coefficients, intercepts, (W, b) in layers:
            np.copyto(coefficients, W.T)
            np.copyto(intercepts, b)

    def _gather(self, order: NDArray[np.int64]) -> tuple[Floats, NDArray[Any]]:
        """The epoch's rows in that order: x (N, n_0), classes (N,) or indicators (N, n_L)."""
        return self._x[order], self._y[order]

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        x, y = self._gather(order)
        one_hot = np.eye(self._outputs)[y] if y.ndim == 1 else y
        for rows in gen_batches(len(x), self._model.batch_size):
            yield x[rows], one_hot[rows].astype(x.dtype)

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        with sklearn.config_context(assume_finite=True):
            self._model.partial_fit(*self._gather(order))

    def epoch_cost(self) -> float:
        return float(self._model.loss_)

    def predict(self, x: Floats) -> Floats:
        outputs: Floats = self._model.predict_proba(x)
        return outputs

    def notes(self) -> dict[str, Any]:
        return {"alpha": self._model.alpha, "out_activation": self._model.out_activation_}


def _unequal_penalties(spec: TrainingSpec, last: int) -> str:
    """Why L2 is not supported: scikit-learn divides it by the batch size, and the last batch has `last` examples."""
    if spec.regularization.l2 and last:
        return f"scikit-learn has no L2 penalty that is the same for a shorter last batch ({last} examples)"
    return ""


def _untrained(spec: TrainingSpec, batch_size: int, x: Floats, y: NDArray[Any]) -> Any:
    """A classifier without training, ready to take parameters."""
    layers, optimizer = spec.architecture.layers, spec.optimizer
    model = MLPClassifier(
        hidden_layer_sizes=[layer.units for layer in layers[:-1]],
        activation=ACTIVATIONS[layers[0].activation] if layers[1:] else "identity",
        solver=optimizer.name,
        alpha=2.0 * batch_size * spec.regularization.l2,  # scikit-learn adds alpha / 2M · Σ w²
        batch_size=batch_size,
        learning_rate_init=optimizer.learning_rate,
        shuffle=False,
        **OPTIMIZERS[optimizer.name](optimizer),
    )
    # Only a first fit makes the arrays; what its one step left is overwritten, or deleted here and made anew.
    model.partial_fit(x[:batch_size], y[:batch_size], classes=np.arange(layers[-1].units))
    del model._optimizer
    return model
