"""scratchnet beside Keras, step by step, on real MNIST: an epoch in float64, fifty steps in float32."""

import numpy as np
import pytest
from covering import weekly

from bench.backends.scratchnet import Scratchnet
from bench.data import load_dataset
from bench.inputs.plan import Plan
from bench.inputs.splits import Inputs
from bench.spec import TrainingSpec

pytest.importorskip("tensorflow")
model_of = pytest.importorskip("reference_tf.model")
threads_of = pytest.importorskip("reference_tf.threads")
parameters_of = pytest.importorskip("reference_tf.parameters")

# TensorFlow takes one thread budget for the life of a process: it is the same wherever a test trains with it.
THREADS = 2
WHOLE_EPOCH, FLOAT32_STEPS = 1875, 50


def spec_of(dtype):
    layers = [{"units": 128, "activation": "relu"}, {"units": 10, "activation": "softmax"}]
    return TrainingSpec.model_validate(
        {
            "architecture": {"inputs": 784, "layers": layers},
            "loss": "categorical_crossentropy",
            "optimizer": {"learning_rate": 0.1},
            "dtype": dtype,
            "batch_size": 32,
            "epochs": 1,
            "seeds": (0,),
        }
    )


def costs_of_both(dtype, steps):
    """Cost of each step before its update, (steps,) of scratchnet and of Keras's `train_on_batch`."""
    spec = spec_of(dtype)
    inputs, plan = Inputs(load_dataset(spec.data), spec), Plan(spec, 0)
    x, y = inputs.train.x, inputs.train_targets
    order = plan.order(1, len(x))[: steps * spec.batch_size]
    ours = Scratchnet(spec, plan.initial_parameters(), x, y, threads=THREADS)
    ours.train_epoch(order)
    threads_of.configure(spec, THREADS)
    model = model_of.build_model(spec)
    parameters_of.set_parameters(model, plan.initial_parameters())
    theirs = []
    for rows in order.reshape(steps, spec.batch_size):
        model.reset_metrics()  # otherwise Keras reports the mean over all steps so far
        theirs.append(float(model.train_on_batch(x[rows], y[rows])))
    return ours.step_costs, np.array(theirs)


def largest_relative_difference(first, second):
    return float(np.max(np.abs(first - second) / np.abs(second)))


@pytest.mark.parametrize(("steps", "learned"), [(300, 3), *weekly((WHOLE_EPOCH, 5))])
def test_float64_agrees_to_1e_12_at_every_step(steps, learned):
    ours, theirs = costs_of_both("float64", steps)
    assert ours.shape == theirs.shape == (steps,)
    assert theirs[0] > learned * theirs[-100:].mean(), "the network learns"
    difference = largest_relative_difference(ours, theirs)
    print(f"float64, {steps} steps: largest relative difference of the cost {difference:.1e}")
    assert difference < 1e-12


def test_fifty_steps_in_float32_agree_to_1e_5():
    difference = largest_relative_difference(*costs_of_both("float32", FLOAT32_STEPS))
    print(f"float32, {FLOAT32_STEPS} steps: largest relative difference of the cost {difference:.1e}")
    assert difference < 1e-5
