"""Essais du gestionnaire de langage."""

import pytest
import torch

from LLM.llm_manager_enhanced import EnhancedLLM

needs_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="sans carte")


@pytest.fixture
def llm():
    return EnhancedLLM("tiny-random-llama", turns=2)


@needs_card
def test_history_is_cut(llm):
    for number in range(5):
        llm.answer(f"question {number}", max_new_tokens=1)
    assert "question 0" not in llm.prompt("fin")


@needs_card
def test_weights_are_on_the_card(llm):
    assert next(llm.model.parameters()).is_cuda
