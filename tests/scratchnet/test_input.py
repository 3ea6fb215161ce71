"""What users hand in: NumPy's scalars are welcome, and what is wrong is named with what is allowed, before any work."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from scratchnet import SGD, Adagrad, Adam, AdamW, Dense, EarlyStopping, Network, RMSprop
from scratchnet.losses import LOSSES
from scratchnet.schedules import SCHEDULES

REFUSED = (TypeError, ValueError)
PIECEWISE = SCHEDULES["piecewise_constant_decay"]
SCALARS = [np.int64, np.int32, np.uint8, lambda number: np.array(number)]


def network(outputs=3, activation="softmax", **options):
    return Network(4, [Dense(5, "relu"), Dense(outputs, activation)], **options)


def data(count=12, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 4)), np.arange(count) % classes


def fit(*given, **options):
    X, y = data()
    return network().fit(*(given or (X, y)), **options)


@pytest.mark.parametrize("scalar", SCALARS)
def test_numpy_integers_are_accepted_and_saved(scalar, tmp_path):
    X, y = data()
    net = Network(scalar(4), [Dense(scalar(5), "relu"), Dense(y.max() + 1, "softmax")], threads=scalar(1))
    rule = EarlyStopping("train_cost", patience=scalar(1))
    assert len(net.fit(X, y, epochs=scalar(2), batch_size=scalar(5), early_stopping=rule)) == 2
    net.save(tmp_path / "net.npz")
    loaded = Network.load(tmp_path / "net.npz")
    assert (loaded.inputs, loaded.layers) == (net.inputs, net.layers)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


@pytest.mark.parametrize("scalar", [np.float64, np.float32, lambda number: np.array(number)])
def test_numpy_floats_are_accepted_and_saved(scalar, tmp_path):
    layers = [Dense(5, "relu", dropout=scalar(0.25)), Dense(3, "softmax")]
    losses = [LOSSES["categorical_crossentropy"](scalar(0.125)), LOSSES["huber"](scalar(0.5))]
    for loss in losses:
        net = Network(4, layers, loss=loss, l1=scalar(0.5), l2=scalar(0.25), dtype=np.float32)
        net.save(tmp_path / "net.npz")
        loaded = Network.load(tmp_path / "net.npz")
        assert (loaded.layers, loaded.loss, loaded.regularizer.l1, loaded.regularizer.l2) == (
            net.layers,
            loss,
            0.5,
            0.25,
        )


@pytest.mark.parametrize("scalar", [np.float64, np.float32, lambda number: np.array(number)])
@pytest.mark.parametrize(
    "make",
    [
        lambda of: SGD(of(0.5), of(0.25), np.bool_(True), clipnorm=of(1.0)),
        lambda of: RMSprop(of(0.5), of(0.5), of(0.25), of(0.125), np.bool_(True), clipvalue=of(1.0)),
        lambda of: Adam(of(0.5), of(0.5), of(0.75), of(0.125), global_clipnorm=of(2.0)),
        lambda of: AdamW(of(0.5), of(0.5), of(0.5), of(0.75), of(0.125)),
        lambda of: Adagrad(of(0.5), of(0.5), of(0.125)),
        lambda of: SGD(SCHEDULES["exponential_decay"](of(0.5), np.int64(4), of(0.5), np.bool_(True))),
        lambda of: SGD(SCHEDULES["inverse_time_decay"](of(0.5), np.int64(4), of(0.5))),
        lambda of: SGD(SCHEDULES["polynomial_decay"](of(0.5), np.int64(4), of(0.25), of(2.0))),
        lambda of: SGD(SCHEDULES["cosine_decay"](of(0.25), np.int64(4), of(0.5), of(0.5), np.int64(2))),
        lambda of: SGD(PIECEWISE(np.array([2, 3]), [of(0.5), of(0.25), of(0.125)])),
        lambda of: SGD(lambda step: of(0.5)),
    ],
)
def test_an_optimizer_of_numpy_scalars_trains_as_one_of_numbers(make, scalar):
    X, y = data()
    nets = [network(optimizer=make(of)) for of in (float, scalar)]
    costs = [[epoch.cost for epoch in net.fit(X, y, epochs=2, batch_size=5)] for net in nets]
    assert costs[0] == costs[1]
    np.testing.assert_array_equal(nets[0].parameters.vector, nets[1].parameters.vector)


def test_a_schedule_keeps_numbers_and_no_scalars_of_numpy():
    made = SCHEDULES["cosine_decay"](np.float32(0.25), np.int64(4), np.float64(0.5), np.float32(0.5), np.int16(2))
    assert [type(value) for value in vars(made).values()] == [float, int, float, float, int]
    assert PIECEWISE([2], [0.5, 0.25]) == PIECEWISE((2,), (0.5, 0.25))


@pytest.mark.parametrize("form", [lambda y: y[:, None], lambda y: y[:, None].tolist(), lambda y: y.astype(np.uint8)])
def test_labels_as_a_column_are_labels(form):
    X, y = data()
    assert network().evaluate(X, form(y)) == network().evaluate(X, y)
    nets = [network(), network()]
    for net, labels in zip(nets, (y, form(y)), strict=True):
        net.fit(X, labels, validation_data=(X, labels), class_weight={1: 2.0})
    np.testing.assert_array_equal(nets[0].parameters.vector, nets[1].parameters.vector)


def test_labels_true_and_false_are_two_classes():
    X, y = data(classes=2)
    assert network(2).evaluate(X, y == 1) == network(2).evaluate(X, y)


def test_a_data_frame_is_an_array():
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X).astype({0: "Float64"})
    frame.index = frame.index[::-1]
    assert network().evaluate(frame, pandas.Series(y)) == network().evaluate(X, y)


def test_a_right_call_says_nothing():
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(X.tolist(), y.tolist(), validation_data=[X, y, np.ones(12)], epochs=2)


X, Y = data()


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "prepare", "gradient", "cost", "validation"])
def test_a_number_that_is_not_finite_is_named_with_its_place(method, dtype, value):
    if value == 1e300 and dtype == "float64":
        value = np.nan
    net, wrong = network(dtype=dtype), changed(X, (7, 2), value)
    calls = {
        "predict": lambda: net.predict(wrong),
        "validation": lambda: net.fit(X, Y, validation_data=(wrong, Y), on_epoch=pytest.fail),
    }
    with pytest.raises(ValueError, match=r"X is (nan|-?inf|1e\+300) in row 7, column 2; allowed: finite numbers"):
        calls.get(method, lambda: getattr(net, method)(wrong, Y))()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", ["fit", "evaluate", "prepare"])
def test_a_target_that_is_not_finite_is_named_with_its_place(method, value):
    net = network(2, "linear", loss="mean_squared_error")
    with pytest.raises(ValueError, match=r"y is (nan|inf) in row 3, column 1; allowed: finite numbers"):
        getattr(net, method)(X, changed(np.ones((12, 2)), (3, 1), value))


def test_the_place_is_right_beyond_the_first_block_of_rows():
    wrong = np.zeros((5000, 4), np.float32)
    wrong[4321, 1] = np.nan
    net = network()
    for call in (net.predict, lambda X: net.prepare(X, np.zeros(5000, int))):
        with pytest.raises(ValueError, match=r"X is nan in row 4321, column 1"):
            call(wrong)


def test_large_finite_numbers_are_no_infinity():
    """Their squares are infinite in float32."""
    network().prepare(np.full((12, 4), 1e30), Y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_map_of_a_file_is_looked_through_as_well(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr("scratchnet.arrays.BLOCK_SIZE", 8)
    np.save(tmp_path / "X.npy", changed(X, (9, 3), np.nan).astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    with pytest.raises(ValueError, match=r"X is nan in row 9, column 3; allowed: finite numbers"):
        network().prepare(mapped, Y)


WRONG_NUMBERS = [0, -1, None, 32.0, "32", True, np.float64(3.0), [3]]


@pytest.mark.parametrize("value", WRONG_NUMBERS, ids=repr)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("epochs", lambda value: fit(epochs=value)),
        ("batch_size", lambda value: fit(batch_size=value)),
        ("units", lambda value: Dense(value, "relu")),
        ("inputs", lambda value: Network(value, [Dense(3, "softmax")])),
        ("threads", lambda value: network(threads=0 if value is None else value)),
        ("batch_size", lambda value: network().train_epoch(network().prepare(X, Y), np.arange(12), value)),
        ("decay_steps", lambda value: SCHEDULES["cosine_decay"](0.1, value)),
    ],
)
def test_counts_are_whole_numbers_from_1(name, make, value):
    with pytest.raises(REFUSED, match=rf"{name} is .*; allowed: 1 or more, a whole number"):
        make(value)


@pytest.mark.parametrize("value", [None, "0.1", True, [0.1], np.array([0.1, 0.2]), 1j, np.nan], ids=repr)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("dropout", lambda value: Dense(3, "relu", dropout=value)),
        ("l1", lambda value: network(l1=value)),
        ("l2", lambda value: network(l2=value)),
        ("learning_rate", lambda value: SGD(value)),
        ("momentum", lambda value: SGD(0.1, value)),
        ("beta_2", lambda value: Adam(0.1, 0.9, value)),
        ("epsilon", lambda value: Adagrad(0.1, 0.1, value)),
        ("weight_decay", lambda value: AdamW(0.1, value)),
        ("label_smoothing", lambda value: LOSSES["binary_crossentropy"](value)),
        ("delta", lambda value: LOSSES["huber"](value)),
        ("min_delta", lambda value: EarlyStopping(min_delta=value)),
        ("decay_rate", lambda value: SCHEDULES["exponential_decay"](0.1, 5, value)),
        ("class_weight\\[1\\]", lambda value: fit(class_weight={1: value})),
    ],
)
def test_what_is_no_number_is_refused_by_name(name, make, value):
    with pytest.raises(REFUSED, match=rf"^{name} is .*; allowed: .*0"):
        make(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        # Settings that are numbers or names, but none of the allowed ones.
        (lambda: Dense(3, "swish"), r"activation 'swish' is not known; allowed: sigmoid, tanh, relu, leaky_relu"),
        (lambda: Dense(3, "relu", "ones"), r"initializer 'ones' is not known; allowed: zeros, random_uniform"),
        (lambda: Dense(3, "relu", dropout=1.0), r"dropout is 1.0; allowed: 0 or greater, and less than 1"),
        (lambda: Network(2, [Dense(2, "softmax", dropout=0.5)]), r"dropout is 0.5 at the output; allowed: 0, or in a"),
        (lambda: Network(2, []), r"layers is empty"),
        (lambda: network(l1=-1.0), r"l1 is -1.0; allowed"),
        (lambda: network(l2=-1.0), r"l2 is -1.0; allowed"),
        (lambda: network(dtype="float16"), r"dtype 'float16' is not known; allowed: float32, float64"),
        (lambda: network(loss="hinge"), r"loss 'hinge' is not known; allowed: summed_binary_crossentropy"),
        (lambda: network(loss="summed_binary_crossentropy"), r"does not fit output softmax; allowed: sigmoid"),
        (lambda: network().parameters.set([]), r"parameters of 0 layers given; the network has 2"),
        (lambda: network().parameters.set([(np.ones((5, 3)), np.ones(5))] * 2), r"W\[1\] given with shape \(5, 3\)"),
        (lambda: SGD(0.0), r"learning_rate is 0.0; allowed: a finite number greater than 0"),
        (lambda: SGD(float("inf")), r"learning_rate is inf; allowed"),
        (lambda: SGD(0.1, 1.0), r"momentum is 1.0; allowed: 0 or greater, and less than 1"),
        (lambda: SGD(nesterov=True), r"nesterov without momentum; allowed: momentum greater than 0"),
        (lambda: SGD(clipnorm=1.0, clipvalue=2.0), r"clipnorm and clipvalue are set; allowed: one of them"),
        (lambda: Adam(global_clipnorm=0.0), r"global_clipnorm is 0.0; allowed: a finite number greater than 0"),
        (lambda: Adam(beta_2=1.0), r"beta_2 is 1.0; allowed"),
        (lambda: AdamW(weight_decay=-0.1), r"weight_decay is -0.1; allowed"),
        (lambda: RMSprop(rho=-0.1), r"rho is -0.1; allowed"),
        (lambda: Adagrad(epsilon=0.0), r"epsilon is 0.0; allowed"),
        (lambda: SCHEDULES["exponential_decay"](0.0, 10, 0.5), r"initial_learning_rate is 0.0; allowed"),
        (lambda: SCHEDULES["exponential_decay"](0.1, 0, 0.5), r"decay_steps is 0; allowed"),
        (lambda: SCHEDULES["exponential_decay"](0.1, 10, 0.0), r"decay_rate is 0.0; allowed"),
        (lambda: SCHEDULES["inverse_time_decay"](0.1, 10, -1.0), r"decay_rate is -1.0; allowed"),
        (lambda: SCHEDULES["polynomial_decay"](0.1, 10, power=0.0), r"power is 0.0; allowed"),
        (lambda: SCHEDULES["cosine_decay"](0.1, 10, alpha=-0.1), r"alpha is -0.1; allowed"),
        (lambda: SCHEDULES["cosine_decay"](0.1, 10, warmup_target=0.0), r"warmup_target is 0.0; allowed"),
        (lambda: PIECEWISE((1,), (0.1,)), r"1 values; allowed: 2, one more than boundaries"),
        (lambda: PIECEWISE((3, 1), (0.1, 0.1, 0.1)), r"boundaries are \(3, 1\); allowed: rising steps"),
        (lambda: PIECEWISE((1,), (0.1, 0.0)), r"values is 0.0; allowed"),
        (lambda: EarlyStopping("loss"), r"monitor 'loss' is not known; allowed: train_cost, validation_cost, valid"),
        (lambda: EarlyStopping(patience=-1), r"patience is -1; allowed"),
        (lambda: EarlyStopping(min_delta=-0.1), r"min_delta is -0.1; allowed"),
        (lambda: fit(early_stopping=EarlyStopping(), on_epoch=pytest.fail), r"watches validation_cost; allowed: tra"),
        (lambda: LOSSES["binary_crossentropy"](label_smoothing=1.0), r"label_smoothing is 1.0; allowed: 0 or greater"),
        (lambda: LOSSES["categorical_crossentropy"](label_smoothing=-0.1), r"label_smoothing is -0.1; allowed"),
        (lambda: LOSSES["sparse_categorical_crossentropy"](0.1), r"label_smoothing is 0.1; allowed: 0"),
        (lambda: LOSSES["huber"](delta=0.0), r"delta is 0.0; allowed: a finite number greater than 0"),
        (lambda: LOSSES["binary_crossentropy"]().smooth(np.array([[2.0]])), r"targets from 2 to 2; allowed .* 0 to 1"),
        (lambda: LOSSES["categorical_crossentropy"]().smooth(np.ones((2, 1))), r"sum to 2; allowed .* a sum of 1"),
        # What does not fit the network, or is no number.
        (lambda: fit(class_weight={3: 2.0}), r"class_weight names class 3; allowed: 0 to 2"),
        (lambda: fit(class_weight={0: np.inf}), r"class_weight\[0\] is inf; allowed: a finite number, 0 or greater"),
        (lambda: fit(sample_weight=np.ones(11)), r"sample_weight has shape \(11,\); allowed: \(12,\)"),
        (lambda: network(optimizer=Adam), r"optimizer is the class Adam; allowed: an optimizer object, such as Adam"),
        (lambda: network(optimizer="adam"), r"optimizer is 'adam'; allowed: an optimizer object"),
        (lambda: Network.load("none.npz", optimizer="adam"), r"optimizer is 'adam'; allowed: an optimizer object"),
        (lambda: SGD(SCHEDULES["cosine_decay"]), r"learning_rate is .*CosineDecay.*; allowed: a finite number"),
        (lambda: SGD(0.1, 0.9, "no"), r"nesterov is 'no'; allowed: True or False"),
        (lambda: EarlyStopping(patience=1.5), r"patience is 1.5; allowed: 0 or more, a whole number"),
        (lambda: EarlyStopping(restore_best=1), r"restore_best is 1; allowed: True or False"),
        (lambda: EarlyStopping(["train_cost"]), r"monitor \['train_cost'\] is not known; allowed: train_cost"),
        (lambda: PIECEWISE((1.5,), (1, 2)), r"boundaries is 1.5; allowed: 0 or more"),
        (lambda: PIECEWISE(3, (1, 2)), r"boundaries is 3; allowed: a sequence"),
        (lambda: Network(3, [4, 2]), r"layers\[0\] is 4; allowed: a Dense, such as Dense\(4, 'relu'\)"),
        (lambda: Network(3, Dense(2, "softmax")), r"layers is Dense\(.*; allowed: a list of Dense"),
        (lambda: Network(3, None), r"layers is None; allowed: a list of Dense"),
        (lambda: Network(3, [Dense(2, "softmax"), Dense]), r"layers\[1\] is the class Dense; allowed: a Dense"),
        (lambda: Dense(3, None), r"activation None is not known; allowed: sigmoid"),
        (lambda: Dense(3, ["relu"]), r"activation \['relu'\] is not known; allowed"),
        (lambda: network(loss=None), r"loss None is not known; allowed"),
        (lambda: network(loss=LOSSES["huber"]), r"loss .*Huber.* is not known; allowed"),
        (lambda: network(dtype=None), r"dtype None is not known; allowed: float32, float64"),
        (lambda: network(dtype=int), r"dtype 'int64' is not known; allowed: float32, float64"),
        (lambda: network(seed=-1), r"seed is -1; allowed: a whole number, 0 or more"),
        (lambda: network(seed="one"), r"seed is 'one'; allowed"),
        (lambda: fit(early_stopping=3), r"early_stopping is 3; allowed: an EarlyStopping object"),
        (lambda: fit(early_stopping=EarlyStopping), r"early_stopping is the class EarlyStopping; allowed"),
        (lambda: fit(on_epoch=3), r"on_epoch is 3; allowed: a function of an Epoch"),
        (lambda: fit(class_weight=np.ones(3)), r"class_weight is an array of shape \(3,\); allowed: a dict"),
        (lambda: fit(class_weight=[1, 2, 3]), r"class_weight is \[1, 2, 3\]; allowed: a dict"),
        (lambda: fit(class_weight={"1": 2.0}), r"class_weight names class '1'; allowed: 0 to 2"),
        (lambda: fit(class_weight={1.5: 2.0}), r"class_weight names class 1.5; allowed: 0 to 2"),
        (lambda: fit(class_weight={(1, 2): 2.0}), r"class_weight names class \(1, 2\); allowed: 0 to 2"),
        (lambda: fit(sample_weight="a"), r"sample_weight is 'a'; allowed: numbers"),
        (lambda: fit(sample_weight=2.0), r"sample_weight has shape \(\); allowed: \(12,\)"),
        (lambda: fit(sample_weight=changed(np.ones(12), 5, -2.0)), r"sample_weight is -2.0 in row 5; allowed"),
        (lambda: fit(sample_weight=changed(np.ones(12), 5, np.inf)), r"sample_weight is inf in row 5; allowed"),
        (lambda: fit(X, Y + 1), r"y has classes 1 to 3; allowed: 0 to 2; y - 1 counts from 0"),
        (lambda: fit(X, Y[:, None] + 1), r"y has classes 1 to 3; allowed: 0 to 2"),
        (lambda: fit(X, Y + 0.5), r"y has a class of 0.5 \(dtype float64; allowed: integer classes 0 to 2"),
        (lambda: fit(X, np.array(list("abc" * 4))), r"y\[0\] is 'a'; allowed: numbers"),
        (lambda: fit(X, np.array(["a", 1, None] * 4, object)), r"y\[0\] is 'a'; allowed: numbers"),
        (lambda: network(1, "sigmoid", loss="binary_crossentropy").fit(X, ["no"] * 12), r"y\[0\] is 'no'; allowed"),
        (lambda: fit(X, None), r"y is None; allowed: numbers"),
        (lambda: fit(X, Y[:5]), r"y has shape \(5,\); allowed: \(12,\) or \(12, 3\)"),
        (lambda: fit(X, np.zeros((12, 3, 1))), r"y has shape \(12, 3, 1\); allowed"),
        (lambda: fit(None, Y), r"X is None; allowed: numbers"),
        (lambda: fit(X.astype(str), Y), r"X\[0\]\[0\] is .*; allowed: numbers"),
        (lambda: fit(changed(X.astype(object), (2, 1), "b"), Y), r"X\[2\]\[1\] is 'b'; allowed: numbers"),
        (lambda: fit(X + 1j, Y), r"X\[0\]\[0\] is .*j.*; allowed: numbers"),
        (lambda: fit(X.astype("M8[s]"), Y), r"X\[0\]\[0\] is .*; allowed: numbers"),
        (lambda: fit([[1.0], [1.0, 2.0]], Y), r"X is not an array .*; allowed: rows of one length"),
        (lambda: fit(sparse.csr_matrix(X), Y), r"X is a sparse csr_matrix; allowed: a dense array, such as X.toarray"),
        (lambda: fit(np.ma.masked_greater(X, 0.5), Y), r"X is a masked array; allowed: an array without masked"),
        (lambda: fit(X[0], Y), r"X has shape \(4,\); allowed: \(N, 4\)"),
        (lambda: fit([], []), r"X has shape \(0,\); allowed: \(N, 4\) with N of 1 or more"),
        (lambda: network().predict(X[0]), r"X has shape \(4,\); allowed: \(N, 4\)"),
        (lambda: network().predict("X"), r"X is 'X'; allowed: numbers"),
        (lambda: network().predict([[1, 2, 3, "4"]]), r"X\[0\]\[0\] is '1'; allowed: numbers"),
        (lambda: fit(validation_data=X), r"validation_data is an array of shape \(12, 4\); allowed: \(X, y\)"),
        (lambda: fit(validation_data=(X,)), r"validation_data has 1 items; allowed: \(X, y\) or"),
        (lambda: fit(validation_data=(X, Y, None, ())), r"validation_data has 4 items; allowed: \(X, y\) or"),
        (lambda: fit(validation_data=0.2), r"validation_data is 0.2; allowed: \(X, y\)"),
        (lambda: fit(validation_data=(X, Y + 1), on_epoch=pytest.fail), r"y has classes 1 to 3; allowed"),
        (lambda: fit(validation_data=(X[:, :2], Y), on_epoch=pytest.fail), r"X has shape \(12, 2\); allowed"),
        (lambda: network().save(None), r"path is None; allowed: the path of a file"),
        (lambda: network().save(3), r"path is 3; allowed: the path of a file"),
        (lambda: Network.load(None), r"path is None; allowed: the path of a file"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(make, message):
    with pytest.raises(REFUSED, match=message) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([], r"order has (dtype float64|shape \(0,\)); allowed"),
        (np.zeros(0, int), r"order has shape \(0,\); allowed: \(N,\)"),
        (np.arange(12.0), r"order has dtype float64; allowed: whole numbers 0 to 11"),
        (np.ones(12, bool), r"order has dtype bool; allowed: whole numbers"),
        (np.arange(12)[:, None], r"order has shape \(12, 1\); allowed: \(N,\)"),
        (np.array([0, 12]), r"order names examples 0 to 12; allowed: 0 to 11"),
        (np.array([-1, 3]), r"order names examples -1 to 3; allowed: 0 to 11"),
        (None, r"order is None; allowed: numbers"),
    ],
)
def test_an_order_names_each_of_its_examples(order, message):
    net = network()
    with pytest.raises(REFUSED, match=message):
        net.train_epoch(net.prepare(X, Y), order, 4)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.ones((12, 5), bool), r"masks is an array of shape \(12, 5\); allowed: a list of arrays"),
        ([], r"masks of 0 layers given; the network drops out in 1"),
        ([np.ones((12, 4), bool)], r"masks\[0\] has shape \(12, 4\); allowed: \(12, 5\)"),
        ([np.ones((11, 5), bool)], r"masks\[0\] has shape \(11, 5\); allowed: \(12, 5\)"),
        ([np.ones((12, 5))], r"masks\[0\] has dtype float64; allowed: bool"),
    ],
)
def test_masks_fit_layers_and_order(masks, message):
    net = Network(4, [Dense(5, "relu", dropout=0.5), Dense(3, "softmax")])
    calls = [lambda: net.train_epoch(net.prepare(X, Y), np.arange(12), 4, masks)]
    if len(masks):  # no masks: nothing is dropped
        calls += [lambda: net.cost(X, Y, masks=masks), lambda: net.gradient(X, Y, masks=masks)]
    for call in calls:
        with pytest.raises(REFUSED, match=message):
            call()


def test_train_epoch_wants_prepared_examples():
    with pytest.raises(TypeError, match=r"examples is an array of shape \(12, 4\); allowed: what network.prepare"):
        network().train_epoch(X, np.arange(12), 4)
    other = Network(2, [Dense(3, "softmax")])
    with pytest.raises(ValueError, match=r"examples have 2 features and 3 targets; allowed: 4 and 3"):
        network().train_epoch(other.prepare(X[:, :2], Y), np.arange(12), 4)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"net\.npz: the folder .*nowhere does not exist"):
        network().save(tmp_path / "nowhere" / "net.npz")
    with pytest.raises(IsADirectoryError, match=r"a folder stands there"):
        network().save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        Network.load(tmp_path / "none.npz")
    assert list(tmp_path.iterdir()) == []
