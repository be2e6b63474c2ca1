"""A small GLiNER for training: the backbone, and a head that scores every
stretch of words for every label of the prompt.

The state dictionary has the names of the package gliner (span_mode markerV0).
What differs is the order of work: the last product of a span's representation
is done once for a label instead of once for a span.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from network import Backbone

WIDTH = 128  # of words and labels in the head
MAX_WIDTH = 8  # words of a span
DROPOUT = 0.1


def two_layers(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 4 * WIDTH), nn.ReLU(),
                         nn.Dropout(DROPOUT), nn.Linear(4 * WIDTH, outputs))


class Holder(nn.Module):
    """Gives parts the names that they have in the package."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


class LabelNetwork(nn.Module):
    head = "labels"

    def __init__(self, config):
        super().__init__()
        self.token_rep_layer = Holder(
            bert_layer=Holder(model=Backbone(config)),
            projection=nn.Linear(config.hidden_size, WIDTH))
        self.rnn = Holder(lstm=nn.LSTM(WIDTH, WIDTH // 2, batch_first=True,
                                       bidirectional=True))
        self.span_rep_layer = Holder(span_rep_layer=Holder(
            project_start=two_layers(WIDTH, WIDTH),
            project_end=two_layers(WIDTH, WIDTH),
            out_project=two_layers(2 * WIDTH, WIDTH)))
        self.prompt_rep_layer = two_layers(WIDTH, WIDTH)

    @property
    def deberta(self):
        return self.token_rep_layer.bert_layer.model

    def forward(self, ids, real, words_at, words, labels_at):
        """Logits (batch, words, MAX_WIDTH, labels) of spans that begin at a
        word and have 1, 2, ... words. `words_at` and `labels_at` are token
        positions (batch, n), `words` the number of each text's words."""
        x = self.token_rep_layer.projection(self.deberta(ids, real))
        rows = torch.arange(len(ids)).unsqueeze(1)
        text, labels = x[rows, words_at], x[rows, labels_at]
        packed = pack_padded_sequence(text.float(), words, batch_first=True,
                                      enforce_sorted=False)
        text, _ = pad_packed_sequence(self.rnn.lstm(packed)[0],
                                      batch_first=True)
        head = self.span_rep_layer.span_rep_layer
        first, _, drop, last = head.out_project
        begin, end = first.weight.split(WIDTH, dim=1)
        begin = F.linear(F.relu(head.project_start(text)), begin, first.bias)
        end = F.linear(F.relu(head.project_end(text)), end)
        end = F.pad(end, (0, 0, 0, MAX_WIDTH - 1)).unfold(1, MAX_WIDTH, 1)
        inner = drop(F.relu(begin.unsqueeze(2) + end.transpose(2, 3)))
        label = self.prompt_rep_layer(labels)
        return (torch.einsum("bwkh,bch->bwkc", inner, label @ last.weight)
                + (label @ last.bias)[:, None, None, :])
