"""Vecteurs de contexte : retrouve les échanges anciens proches de la question."""

import torch
from sentence_transformers import SentenceTransformer


class ContextEmbedder:
    def __init__(self, name="paraphrase-multilingual-MiniLM-L12-v2"):
        self.model = SentenceTransformer(name, device="cuda")
        self.texts = []
        self.vectors = None

    def add(self, text):
        vector = self.model.encode(text, convert_to_tensor=True).unsqueeze(0)
        self.texts.append(text)
        self.vectors = vector if self.vectors is None else torch.cat([self.vectors, vector])

    def nearest(self, question, count=3):
        """Les textes les plus proches, le meilleur d'abord."""
        wanted = self.model.encode(question, convert_to_tensor=True)
        scores = torch.nn.functional.cosine_similarity(self.vectors, wanted.unsqueeze(0))
        best = scores.topk(min(count, len(self.texts))).indices.tolist()
        return [self.texts[index] for index in best]
