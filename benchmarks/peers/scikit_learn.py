"""scikit-learn: MLPClassifier and MLPRegressor, one network after another."""

from __future__ import annotations

import copy
import warnings

import numpy as np
from harness.problem import Problem
from harness.workloads import Member
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from neuralnet_core import Adam

from .training import Parameters, Training

__all__ = ["ScikitLearn"]

Estimator = MLPClassifier | MLPRegressor


class ScikitLearn(Training):
    """The user's loop: `fit`, or with validation `partial_fit` and a score after each epoch."""

    one_by_one = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        # fit() draws its own weights; warm_start goes on from those it finds. So each is made once, outside the
        # clock, and given the weights that all sides begin with.
        self._ready = [self._prepared(member) for member in problem.members]
        self._fitted: list[Estimator] = []
        self._validation = np.empty(0)

    def _prepared(self, member: Member) -> Estimator:
        model = self._estimator(member).set_params(max_iter=1)
        self._fit(model)
        initial = self.problem.initial(member)
        model.coefs_, model.intercepts_ = initial[::2], initial[1::2]
        del model._optimizer  # partial_fit would go on with its momenta
        return model.set_params(max_iter=self.problem.epochs)

    def _estimator(self, member: Member) -> Estimator:
        problem, optimizer = self.problem, member.optimizer
        adam, regression = isinstance(optimizer, Adam), problem.loss == "mse"
        return (MLPRegressor if regression else MLPClassifier)(
            hidden_layer_sizes=member.widths[:-1],
            activation=member.activation,
            solver="adam" if adam else "sgd",
            # Its penalty is divided by the samples of a minibatch, its squared error by two.
            alpha=optimizer.l2 * problem.batch,
            learning_rate_init=optimizer.learning_rate * (2 if regression else 1),
            momentum=getattr(optimizer, "momentum", 0.0),
            nesterovs_momentum=False,
            batch_size=problem.batch,
            shuffle=problem.shuffles and problem.batch < len(problem.data.X),
            max_iter=problem.epochs,
            random_state=member.seed,
            epsilon=getattr(optimizer, "epsilon", 1e-8),
            tol=0.0,
            n_iter_no_change=problem.epochs + 1,  # its stopping rule cannot act
            warm_start=True,
        )

    def _fit(self, model: Estimator) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are the task
            model.fit(self.problem.data.X, self._targets)

    @property
    def _targets(self) -> np.ndarray:
        y = self.problem.data.y
        return y[:, 0] if self.problem.loss == "mse" else y

    def train(self) -> None:
        self._fitted = [copy.copy(model) for model in self._ready]
        for model in self._fitted:
            # fit() updates these arrays where they are.
            model.coefs_ = [weight.copy() for weight in model.coefs_]
            model.intercepts_ = [bias.copy() for bias in model.intercepts_]
        if self.problem.validates:
            self._validation = np.array([self._validated(model) for model in self._fitted])
        else:
            for model in self._fitted:
                self._fit(model)

    def _validated(self, model: Estimator) -> float:
        data, y, loss = self.problem.data, self.problem.data.y_validation, float("nan")
        for _ in range(self.problem.epochs):
            model.partial_fit(data.X, self._targets)
            if self.problem.loss == "mse":
                errors = (model.predict(data.X_validation) - y[:, 0]) ** 2
                loss = errors.mean()
                1 - errors.sum() / ((y - y.mean()) ** 2).sum()
            else:
                # Its own log_loss and accuracy_score take milliseconds to check their arguments.
                probabilities = model.predict_proba(data.X_validation)
                loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
                (probabilities.argmax(axis=1) == y).mean()
        return float(loss)

    def parameters(self) -> list[Parameters]:
        return [
            [array for pair in zip(model.coefs_, model.intercepts_, strict=True) for array in pair]
            for model in self._fitted
        ]

    def validation_losses(self) -> NDArray[np.float64]:
        return self._validation
