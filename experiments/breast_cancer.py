"""Is a tumour malignant? Width and penalty of a small network, stopped early; then the best network, kept.

A third of the rows is held out as a test set that no choice ever looks at; the rest is scaled by its own mean
and deviation, and split anew for each repeat.

python experiments/breast_cancer.py [--quick]
"""

from __future__ import annotations

import sys

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from neuralnet_core import Adam, Dense, EarlyStopping, Model, Network
from sweep import Sweep

EPOCHS, REPEATS = (5, 2) if "--quick" in sys.argv else (100, 20)

X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=1 / 3, stratify=y, random_state=0)
scaler = StandardScaler().fit(X)
X, X_test = scaler.transform(X), scaler.transform(X_test)


def build(hidden: int, l2: float) -> tuple[Network, Adam]:
    """One configuration -> what to train."""
    network = Network([Dense(hidden, "tanh"), Dense(1)], loss="binary_cross_entropy")
    stopping = EarlyStopping(monitor="validation_loss", patience=10)
    return network, Adam(1e-2, epochs=EPOCHS, batch_size=32, l2=l2, early_stopping=stopping)


sweep = Sweep(build, {"hidden": [2, 4, 8, 16], "l2": [0.0, 1e-3, 1e-2]}, repeats=REPEATS, seed=0)
results = sweep.run(X, y, validation=0.25, objective="validation_loss")
print(results)

print("\nHow sure is that? Differences to the best, paired over the shared splits:")
print(results.compare().to_string(index=False))
results.plot.heatmap("hidden", "l2").figure.savefig("breast_cancer.png", dpi=150)
print("wrote breast_cancer.png")

model = results.model()  # the best configuration's first, trained again, to the same bytes
model.save("breast_cancer.npz")
accuracy = Model.load("breast_cancer.npz").score(X_test, y_test)
print(f"wrote breast_cancer.npz: {results.best}, accuracy {accuracy:.3f} on the test set")
