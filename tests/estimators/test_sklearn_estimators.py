"""scikit-learn's own checks of an estimator, and what they leave out. Run where it is installed: `tox run -e peers`."""

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn.compose import TransformedTargetRegressor  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator  # noqa: E402

from scratchnet import Network  # noqa: E402
from scratchnet.sklearn import NetworkClassifier, NetworkRegressor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:no convergence:sklearn.exceptions.ConvergenceWarning")
ESTIMATORS = pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
STATES = ("passed", "failed", "xfail", "skipped")
PEERS = {NetworkClassifier: MLPClassifier, NetworkRegressor: MLPRegressor}


def may_be_skipped(name):
    """Of array libraries other than NumPy, and of a `decision_function`, which scikit-learn's network lacks too."""
    return name.startswith("check_array_api") or name.endswith("_decision_function")


@ESTIMATORS
@pytest.mark.filterwarnings("ignore")  # as scikit-learn runs them: many checks warn on purpose
def test_every_check_of_scikit_learn_passes(kind):
    """No check is expected to fail; only those may be skipped that scikit-learn skips of its own network too."""
    found = check_estimator(kind(), on_skip=None, on_fail=None)
    names = {status: [one["check_name"] for one in found if one["status"] == status] for status in STATES}
    assert (names["failed"], names["xfail"]) == ([], []), [one["exception"] for one in found]
    assert [name for name in names["skipped"] if not may_be_skipped(name)] == []
    assert len(names["passed"]) >= 50


@ESTIMATORS
@pytest.mark.filterwarnings("ignore")
def test_no_check_of_scikit_learns_own_network_is_left_out(kind):
    """Besides what only sparse matrices, `partial_fit` or another option bring."""

    def names(estimator):
        return {getattr(check, "func", check).__name__ for _, check in estimator_checks_generator(estimator)}

    assert names(PEERS[kind]()) - names(kind()) <= {"check_sample_weight_equivalence_on_sparse_data"}


@pytest.fixture(scope="module")
def iris():
    return train_test_split(*load_iris(return_X_y=True), random_state=0)


def test_more_classes_with_names(iris):
    X, X_test, y, y_test = iris
    names = np.array(["setosa", "versicolor", "virginica"])
    model = make_pipeline(StandardScaler(), NetworkClassifier((20,), learning_rate=0.01, random_state=0)).fit(
        X, names[y]
    )
    assert model.score(X_test, names[y_test]) > 0.9
    network = model[-1]
    assert isinstance(network.network_, Network)
    assert network.classes_.tolist() == names.tolist()
    assert len(network.loss_curve_) == network.n_iter_ > 1
    assert network.loss_curve_[-1] < network.loss_curve_[0]


def test_two_classes_are_one_output():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), NetworkClassifier(8, learning_rate=0.01, random_state=0)).fit(X, y)
    assert model[-1].network_.layers[-1].units == 1
    assert model[-1].network_.layers[-1].activation == "sigmoid"
    assert model.score(X, y) > 0.97


def test_several_labels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    Y = (X[:, :3] > 0).astype(int)
    model = NetworkClassifier((16,), learning_rate=0.01, random_state=0).fit(X, Y)
    assert model.predict(X).shape == model.predict_proba(X).shape == (300, 3)
    assert np.mean(model.predict(X) == Y) > 0.97


def test_one_and_several_targets_of_a_regression():
    X, y = load_diabetes(return_X_y=True)
    network = make_pipeline(StandardScaler(), NetworkRegressor((16,), learning_rate=0.01, random_state=0))
    model = TransformedTargetRegressor(network, transformer=StandardScaler()).fit(X, y)
    assert model.score(X, y) > 0.5
    X, Y = load_linnerud(return_X_y=True)
    assert NetworkRegressor(random_state=0).fit(X, Y).predict(X).shape == Y.shape
    assert NetworkRegressor(random_state=0).fit(X, Y[:, :1]).predict(X).shape == (20, 1)


def test_a_weight_counts_as_so_many_equal_examples():
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(20, 3)), rng.normal(size=20), rng.integers(0, 4, 20)
    options = {"max_iter": 30, "random_state": 0}
    weighted = NetworkRegressor(**options).fit(X, y, sample_weight=weights)
    repeated = NetworkRegressor(**options).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)
    assert not np.allclose(weighted.predict(X), NetworkRegressor(**options).fit(X, y).predict(X), rtol=1e-3)


def test_every_option_reaches_the_network():
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier(
        (5, 4),
        activation="tanh",
        initializer="he_normal",
        dropout=0.25,
        optimizer="sgd",
        learning_rate=0.02,
        optimizer_options={"momentum": 0.5},
        l1=0.001,
        l2=0.002,
        max_iter=3,
        threads=1,
    )
    network = model.fit(X.astype(np.float32), y).network_
    assert [(one.units, one.activation, one.initializer, one.dropout) for one in network.layers] == [
        (5, "tanh", "he_normal", 0.25),
        (4, "tanh", "he_normal", 0.25),
        (3, "softmax", "he_normal", 0.0),
    ]
    assert (network.optimizer.momentum, network.optimizer.learning_rate) == (0.5, 0.02)
    assert (network.regularizer.l1, network.regularizer.l2, network.dtype, network.threads) == (
        0.001,
        0.002,
        "float32",
        1,
    )
    assert model.n_iter_ == 3


def test_training_ends_where_the_cost_stops_to_fall(iris):
    X, _, y, _ = iris
    few = NetworkClassifier(tol=10.0, n_iter_no_change=4, random_state=0).fit(X, y)
    assert few.n_iter_ == 5
    with pytest.warns(
        ConvergenceWarning, match="no convergence in max_iter = 2 epochs; raise max_iter or tol, or scale"
    ):
        NetworkClassifier(max_iter=2).fit(X, y)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"optimizer": "adamm"}, "optimizer 'adamm' is not known; allowed: sgd"),
        ({"activation": "relux"}, "activation 'relux' is not known"),
        ({"hidden_layer_sizes": (0,)}, "units is 0; allowed: 1 or more"),
        ({"max_iter": 0}, "epochs is 0; allowed: 1 or more"),
        ({"l2": -1.0}, "l2 is -1"),
    ],
)
def test_a_wrong_option_is_refused_by_fit(iris, options, match):
    X, _, y, _ = iris
    with pytest.raises(ValueError, match=match):
        NetworkClassifier(**options).fit(X, y)


def test_one_class_and_weights_that_leave_one(iris):
    X, _, y, _ = iris
    for given in ({"y": np.zeros(len(X))}, {"y": y, "sample_weight": y == 1}):
        with pytest.raises(ValueError, match="y has 1 class; allowed: 2 classes or more"):
            NetworkClassifier().fit(X, **given)
    with pytest.raises(ValueError, match="sample_weight is zero in every row; allowed: one weight greater than zero"):
        NetworkClassifier().fit(X, y, sample_weight=np.zeros(len(X)))


def test_search_and_cross_validation(iris):
    X, _, y, _ = iris
    search = GridSearchCV(NetworkClassifier(max_iter=40, random_state=0), {"learning_rate": [1e-6, 0.01]}, cv=3).fit(
        X, y
    )
    assert search.best_params_ == {"learning_rate": 0.01}
    scores = cross_val_score(NetworkClassifier(max_iter=100, learning_rate=0.01, random_state=0), X, y, cv=3)
    assert min(scores) > 0.85
