"""A function of your own in place of a network: random forests of scikit-learn, as a sweep.

Any function of (params, seed, X, y) that returns metrics is swept in the same way, with the same splits, tables and
plots. It runs in processes of its own: one that crashes, or takes longer than `timeout`, is a row that says so. What is
recorded is not run again: run this twice.

python experiments/random_forest.py [--quick]
"""

from __future__ import annotations

import sys
from typing import Any

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from sweep import Sweep

TREES, REPEATS = ([2, 8], 2) if "--quick" in sys.argv else ([10, 30, 100], 10)


def forest(params: dict[str, Any], seed: int, X: Any, y: Any, validation: Any) -> dict[str, float]:
    """One trial -> its metrics: fit on X and y, measure on the rows that were held out."""
    X_validation, y_validation = validation
    model = RandomForestClassifier(**params, random_state=seed).fit(X, y)
    return {
        "validation_accuracy": model.score(X_validation, y_validation),
        "validation_auc": roc_auc_score(y_validation, model.predict_proba(X_validation)[:, 1]),
        "leaves": sum(tree.get_n_leaves() for tree in model.estimators_),
    }


X, y = load_breast_cancer(return_X_y=True)
space = {"n_estimators": TREES, "max_depth": [2, None], "max_features": ["sqrt", 1.0]}
results = Sweep(function=forest, space=space, repeats=REPEATS, seed=0).run(
    X, y, validation=0.25, timeout=60, store="random_forest.sweep"
)

columns = ["rank", *(f"params_{name}" for name in space), "n"]
columns += ["mean_validation_accuracy", "mean_validation_auc", "mean_leaves"]
print(results.summary[columns].round(4).to_string(index=False))
results.plot.comparison().figure.savefig("random_forest.png", dpi=150)
print("\nwrote random_forest.png: every configuration's mean, 95 % interval and repeats")
