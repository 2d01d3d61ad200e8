"""Mesure réaliste de la reconnaissance : micro simulé, morceaux de 500 ms."""

import time
from dataclasses import dataclass, field

import torch

CHUNK_SECONDS = 0.5
RATE = 16_000


@dataclass
class Result:
    latencies: list = field(default_factory=list)

    def add(self, started):
        self.latencies.append((time.perf_counter() - started) * 1000)

    def summary(self):
        ordered = sorted(self.latencies)
        return {"p50": ordered[len(ordered) // 2], "max": ordered[-1]}


def benchmark(model, seconds=30):
    result = Result()
    if torch.cuda.is_available():
        model = model.cuda()
    samples = int(CHUNK_SECONDS * RATE)
    for _ in range(int(seconds / CHUNK_SECONDS)):
        chunk = torch.randn(1, samples)
        started = time.perf_counter()
        model(chunk)
        result.add(started)
    return result.summary()
