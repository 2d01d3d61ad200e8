"""Gestion du modèle de langage : chargement, contexte, réponse."""

import logging

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

log = logging.getLogger(__name__)


class EnhancedLLM:
    """Garde les derniers échanges et répond."""

    def __init__(self, name, turns=10):
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.model = AutoModelForCausalLM.from_pretrained(name, torch_dtype=torch.float16)
        self.model.to("cuda")
        self.history = []
        self.turns = turns
        log.info("modèle %s chargé", name)

    def prompt(self, question):
        recent = self.history[-self.turns:]
        lines = [f"{who}: {what}" for who, what in recent]
        return "\n".join([*lines, f"utilisateur: {question}", "assistant:"])

    @torch.inference_mode()
    def answer(self, question, max_new_tokens=200):
        tokens = self.tokenizer(self.prompt(question), return_tensors="pt").to("cuda")
        output = self.model.generate(**tokens, max_new_tokens=max_new_tokens)
        text = self.tokenizer.decode(output[0], skip_special_tokens=True)
        self.history += [("utilisateur", question), ("assistant", text)]
        return text
