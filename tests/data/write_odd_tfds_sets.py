"""Small TFDS sets, most of them unusable, written to the folder in argument 1.

Run by `test_data_tfds.py` as a script, since it imports TensorFlow.
"""

import sys

import numpy as np
import tensorflow_datasets as tfds

IMAGE = tfds.features.Image(shape=(2, 3, 1))
LABEL = tfds.features.ClassLabel(names=["cat", "dog"])
EXAMPLES = [{"image": np.full((2, 3, 1), 10 * i, np.uint8), "label": i % 2} for i in range(4)]


def store(name: str, version: str = "1.0.0", features=None, **splits) -> None:
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=version,
        features=tfds.features.FeaturesDict(features or {"image": IMAGE, "label": LABEL}),
        split_datasets={split: list(enumerate(examples)) for split, examples in splits.items()},
        data_dir=sys.argv[1],
        disable_shuffling=True,
    )


store("good", train=EXAMPLES, test=EXAMPLES[1:2])
store("good", version="1.10.0", train=EXAMPLES[:3], validation=EXAMPLES[3:])
store("without_test", train=EXAMPLES)
store("hidden_labels", train=EXAMPLES, test=[EXAMPLES[0] | {"label": -1}])
store(
    "sizes",
    features={"image": tfds.features.Image(shape=(None, None, 1)), "label": LABEL},
    train=EXAMPLES,
    test=EXAMPLES,
)
store("words", features={"text": tfds.features.Text()}, train=[{"text": "a"}], test=[{"text": "b"}])
