"""Enchaîne les étapes d'une conversation et note le temps de chacune."""

import time

import torch


class Pipeline:
    def __init__(self, *steps):
        self.steps = steps
        self.times = {}

    def __call__(self, value):
        for step in self.steps:
            started = time.perf_counter()
            value = step(value)
            # Sans cela, le temps d'une étape se retrouve dans la suivante.
            torch.cuda.synchronize()
            self.times[step.__name__] = time.perf_counter() - started
        return value

    def slowest(self):
        return max(self.times, key=self.times.get)
