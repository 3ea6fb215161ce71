"""scratchnet as scikit-learn estimators, for pipelines, searches and cross-validation; needs the extra `sklearn`."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from scratchnet.arrays import Array
from scratchnet.checks import known
from scratchnet.early_stopping import EarlyStopping
from scratchnet.examples import weights_of
from scratchnet.layers import Dense
from scratchnet.network import Network
from scratchnet.optimizers import OPTIMIZERS

__all__ = ["NetworkClassifier", "NetworkRegressor"]

DTYPES = (np.float64, np.float32)
"""X in one of these is trained in it; any other X in the first."""
Used = tuple[NDArray[Any], NDArray[Any], Array | None]
"""X, y and weights of the examples that count."""


class _NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the options of the network and its training."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        activation: str = "relu",
        initializer: str = "glorot_uniform",
        dropout: float = 0.0,
        optimizer: str = "adam",
        learning_rate: float = 0.001,
        optimizer_options: Mapping[str, Any] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        batch_size: int = 200,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        threads: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.initializer = initializer
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_options = optimizer_options
        self.l1 = l1
        self.l2 = l2
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.threads = threads
        self.random_state = random_state

    def _train(self, X: NDArray[Any], Y: NDArray[Any], weights: Array | None, output: str, loss: str) -> Self:
        """Fit a new network to X (N, n_0) and the targets Y (N, n_L)."""
        self.network_ = Network(
            X.shape[1],
            self._layers(Y.shape[1], output),
            loss=loss,
            optimizer=OPTIMIZERS[known("optimizer", self.optimizer, OPTIMIZERS)](
                self.learning_rate, **(self.optimizer_options or {})
            ),
            l1=self.l1,
            l2=self.l2,
            dtype=X.dtype.name,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            threads=self.threads,
        )
        rule = EarlyStopping("train_cost", patience=self.n_iter_no_change, min_delta=self.tol)
        options: dict[str, Any] = {"epochs": self.max_iter, "batch_size": self.batch_size, "early_stopping": rule}
        epochs = self.network_.fit(X, Y, sample_weight=weights, **options)
        self.loss_curve_ = [epoch.cost for epoch in epochs]
        self.n_iter_ = len(epochs)
        if self.n_iter_ == self.max_iter:
            remedy = "raise max_iter or tol, or scale the features"
            warnings.warn(f"no convergence in max_iter = {self.max_iter} epochs; {remedy}", ConvergenceWarning, 3)
        return self

    def _layers(self, units: int, output: str) -> list[Dense]:
        sizes = self.hidden_layer_sizes
        widths = sizes if isinstance(sizes, Sequence | np.ndarray) else [sizes]
        hidden = [Dense(width, self.activation, self.initializer, self.dropout) for width in widths]
        return [*hidden, Dense(units, output, self.initializer)]

    def _outputs(self, X: ArrayLike) -> Array:
        """A[L] as rows (N, n_L)."""
        check_is_fitted(self)
        return self.network_.predict(validate_data(self, X, dtype=DTYPES, reset=False))


class NetworkClassifier(ClassifierMixin, _NetworkEstimator):  # type: ignore[misc]
    """A classifier: two classes, more classes, or several labels (y of shape (N, K) with 0 and 1).

    The output layer is one sigmoid neuron, softmax, or K sigmoid neurons; the loss is a cross entropy.

    hidden_layer_sizes : neurons of each hidden layer; a single number is one layer.
    activation, initializer, dropout : of every hidden layer, names as in `scratchnet.Dense`.
    optimizer, learning_rate, optimizer_options : a name in `scratchnet.optimizers.OPTIMIZERS`, and its options, such as
        {"momentum": 0.9}.
    l1, l2 : factors of Σ|w| and Σ w² in the cost.
    max_iter : most epochs. tol, n_iter_no_change : training ends after so many epochs in a row that did not lower the
        best cost by more than tol.
    threads : at most so many threads; None: all cores.
    random_state : of initial weights, order of examples and dropout.

    After `fit`: `network_` is the `scratchnet.Network`, `classes_` its classes, `loss_curve_` the cost of each epoch,
    `n_iter_` their number. An example's `sample_weight` counts as that many equal examples would.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (N, n_0) and y: (N,) classes of any type, or (N, K) labels 0 and 1."""
        rows, targets = validate_data(self, X, y, multi_output=True, dtype=DTYPES)
        check_classification_targets(targets)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        rows, targets, weights = _used(rows, targets, sample_weight)
        self._binarizer = LabelBinarizer().fit(targets)
        self.classes_ = self._binarizer.classes_
        if len(self.classes_) < 2:
            raise ValueError("y has 1 class; allowed: 2 classes or more, of examples with a weight greater than 0")
        Y = np.asarray(self._binarizer.transform(targets), rows.dtype)
        if self._binarizer.y_type_ == "multiclass":
            return self._train(rows, Y, weights, "softmax", "categorical_crossentropy")
        return self._train(rows, Y, weights, "sigmoid", "binary_crossentropy")

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class (N,); with several labels, 1 where the probability exceeds 0.5, (N, K)."""
        outputs = self._outputs(X)
        classes: NDArray[Any] = self._binarizer.inverse_transform(outputs, threshold=0.5)
        return classes

    def predict_proba(self, X: ArrayLike) -> Array:
        """Probability of each class in `classes_` (N, classes), or of each label (N, K)."""
        outputs = self._outputs(X)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetworkRegressor(RegressorMixin, _NetworkEstimator):  # type: ignore[misc]
    """A regressor of one or more targets: a linear output layer and the mean squared error.

    Its options and attributes are those of `NetworkClassifier`. Targets far from 0, or very large, are learnt sooner if
    they are scaled: `sklearn.compose.TransformedTargetRegressor`.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (N, n_0) and y (N,) or (N, K)."""
        rows, targets = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=DTYPES)
        rows, targets, weights = _used(rows, targets, sample_weight)
        self._shape = targets.shape[1:]
        return self._train(rows, targets.reshape(len(targets), -1), weights, "linear", "mean_squared_error")

    def predict(self, X: ArrayLike) -> Array:
        """The targets, (N,) or (N, K) as in `fit`."""
        outputs = self._outputs(X)
        return outputs.reshape(len(outputs), *self._shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _used(X: NDArray[Any], y: NDArray[Any], sample_weight: ArrayLike | None) -> Used:
    """Without the examples of weight 0; weights of mean 1, since the network divides by the number of examples."""
    if sample_weight is None:
        return X, y, None
    weights = weights_of(sample_weight, len(X), np.float64)
    used = weights > 0
    if not used.any():
        raise ValueError("sample_weight is zero in every row; allowed: one weight greater than zero at least")
    return X[used], y[used], weights[used] / np.mean(weights[used])
