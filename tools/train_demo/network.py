"""A compact DeBERTa for training, equal in function and names to transformers.

The state dictionary has Hugging Face names. What differs is the order of
work: position tables are projected once per layer and batch, laid out by
linear offset, and skewed into place with strides instead of gathers; the
vocabulary logits are computed at chosen positions only.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Skew(torch.autograd.Function):
    """(n, l, 2l-1) scores by offset -> (n, l, l): out[i, j] = in[i, j-i+l-1]."""

    @staticmethod
    def forward(ctx, scores):
        n, l, r = scores.shape
        ctx.shape = scores.shape
        return scores.contiguous().as_strided(
            (n, l, l), (l * r, r - 1, 1), l - 1)

    @staticmethod
    def backward(ctx, grad):
        n, l, r = ctx.shape
        out = grad.new_zeros(ctx.shape)
        out.as_strided((n, l, l), (l * r, r - 1, 1), l - 1).copy_(grad)
        return out


def log_bucket(offset, buckets, max_position):
    """Bucket of a relative offset, as transformers computes it for v2/v3."""
    mid = buckets // 2
    size = abs(offset)
    if size <= mid:
        return offset
    steps = math.ceil(math.log(size / mid) / math.log((max_position - 1) / mid)
                      * (mid - 1))
    return (steps + mid) * (1 if offset > 0 else -1)


def table_rows(config, length):
    """Row of the relative table for each offset q-k = length-1 .. 1-length."""
    buckets = getattr(config, "position_buckets", -1)
    span = buckets if buckets > 0 else config.max_relative_positions
    offsets = range(length - 1, -length, -1)
    if buckets > 0:
        offsets = [log_bucket(o, buckets, config.max_relative_positions)
                   for o in offsets]
    return torch.tensor([min(max(o + span, 0), 2 * span - 1)
                         for o in offsets])


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = config.hidden_size
        self.v1 = config.model_type == "deberta"
        self.heads = config.num_attention_heads
        self.scale = 1 / math.sqrt(3 * hidden // self.heads)
        self.drop = config.attention_probs_dropout_prob
        if self.v1:
            self.in_proj = nn.Linear(hidden, 3 * hidden, bias=False)
            self.q_bias = nn.Parameter(torch.zeros(hidden))
            self.v_bias = nn.Parameter(torch.zeros(hidden))
            self.pos_proj = nn.Linear(hidden, hidden, bias=False)
            self.pos_q_proj = nn.Linear(hidden, hidden)
        else:
            self.query_proj = nn.Linear(hidden, hidden)
            self.key_proj = nn.Linear(hidden, hidden)
            self.value_proj = nn.Linear(hidden, hidden)

    def split(self, x):
        """(..., hidden) -> (heads, rows, width)."""
        x = x.reshape(-1, self.heads, x.shape[-1] // self.heads)
        return x.transpose(0, 1)

    def projections(self, x):
        if self.v1:
            q, k, v = self.split(self.in_proj(x)).chunk(3, dim=-1)
            q = q + self.q_bias.view(self.heads, 1, -1)
            v = v + self.v_bias.view(self.heads, 1, -1)
            return q, k, v
        parts = (self.query_proj, self.key_proj, self.value_proj)
        joined = F.linear(x, torch.cat([p.weight for p in parts]),
                          torch.cat([p.bias for p in parts]))
        return [self.split(part) for part in joined.chunk(3, dim=-1)]

    def position_tables(self, table):
        if self.v1:
            keys, queries = self.pos_proj(table), self.pos_q_proj(table)
        else:
            keys, queries = self.key_proj(table), self.query_proj(table)
        return self.split(keys), self.split(queries)

    def forward(self, x, bias, table, rows):
        batch, length, hidden = x.shape
        n = self.heads * batch
        q, k, v = [t.reshape(n, length, -1) for t in self.projections(x)]
        q = q * self.scale
        pos_k, pos_q = self.position_tables(table)
        pos_k = pos_k[:, rows].transpose(1, 2)
        pos_q = pos_q[:, rows.flip(0)].transpose(1, 2) * self.scale
        c2p = torch.bmm(q.reshape(self.heads, batch * length, -1), pos_k)
        p2c = torch.bmm(k.reshape(self.heads, batch * length, -1), pos_q)
        scores = torch.bmm(q, k.transpose(1, 2))
        scores = scores + Skew.apply(c2p.reshape(n, length, -1))
        scores = scores + Skew.apply(
            p2c.reshape(n, length, -1)).transpose(1, 2)
        if bias is not None:
            scores = (scores.view(self.heads, batch, length, length)
                      + bias).view(n, length, length)
        probs = F.dropout(F.softmax(scores, -1), self.drop, self.training)
        out = torch.bmm(probs.to(v.dtype), v)
        return out.view(self.heads, batch, length, -1).permute(
            1, 2, 0, 3).reshape(batch, length, hidden)


class Residual(nn.Module):
    """Dense, dropout, add, LayerNorm."""

    def __init__(self, config, width):
        super().__init__()
        self.dense = nn.Linear(width, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size,
                                      config.layer_norm_eps)
        self.drop = config.hidden_dropout_prob

    def forward(self, x, before):
        x = F.dropout(self.dense(x), self.drop, self.training)
        return self.LayerNorm(x + before)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = nn.ModuleDict({
            "self": Attention(config),
            "output": Residual(config, config.hidden_size)})
        self.intermediate = nn.ModuleDict({
            "dense": nn.Linear(config.hidden_size, config.intermediate_size)})
        self.output = Residual(config, config.intermediate_size)

    def forward(self, x, bias, table, rows):
        context = self.attention["self"](x, bias, table, rows)
        x = self.attention["output"](context, x)
        return self.output(F.gelu(self.intermediate["dense"](x)), x)


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        hidden = config.hidden_size
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(config.vocab_size, hidden),
            "LayerNorm": nn.LayerNorm(hidden, config.layer_norm_eps)})
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(
            Layer(config) for _ in range(config.num_hidden_layers))
        span = getattr(config, "position_buckets", -1)
        span = span if span > 0 else config.max_relative_positions
        self.encoder.rel_embeddings = nn.Embedding(2 * span, hidden)
        if "layer_norm" in getattr(config, "norm_rel_ebd", "none"):
            self.encoder.LayerNorm = nn.LayerNorm(hidden,
                                                  config.layer_norm_eps)
        self.rows = {}

    def forward(self, ids, mask=None):
        """ids (batch, length); mask is true at real tokens, None if all."""
        length = ids.shape[1]
        if length not in self.rows:
            self.rows[length] = table_rows(self.config, length)
        x = self.embeddings["LayerNorm"](
            self.embeddings["word_embeddings"](ids))
        bias = None
        if mask is not None:
            x = x * mask.unsqueeze(-1)
            bias = (~mask).float()[None, :, None, :] * -1e9
        x = F.dropout(x, self.config.hidden_dropout_prob, self.training)
        table = self.encoder.rel_embeddings.weight
        if hasattr(self.encoder, "LayerNorm"):
            table = self.encoder.LayerNorm(table)
        for layer in self.encoder.layer:
            x = layer(x, bias, table, self.rows[length])
        return x


class Network(nn.Module):
    """Backbone and one head: masks, sequence, tokens or spans."""

    def __init__(self, config, head):
        super().__init__()
        self.deberta = Backbone(config)
        self.head = head
        hidden = config.hidden_size
        if head == "masks":
            self.cls = nn.Module()
            self.cls.predictions = nn.Module()
            self.cls.predictions.transform = nn.ModuleDict({
                "dense": nn.Linear(hidden, hidden),
                "LayerNorm": nn.LayerNorm(hidden, config.layer_norm_eps)})
            self.cls.predictions.bias = nn.Parameter(
                torch.zeros(config.vocab_size))
        elif head == "sequence":
            self.pooler = nn.ModuleDict({"dense": nn.Linear(hidden, hidden)})
            self.classifier = nn.Linear(hidden, config.num_labels)
        elif head == "tokens":
            self.classifier = nn.Linear(hidden, config.num_labels)
        else:
            self.qa_outputs = nn.Linear(hidden, 2)
        self.apply(self.initialise)

    @staticmethod
    def initialise(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, ids, mask=None, at=None):
        """Logits; for masks at flat positions `at`, (len(at), vocabulary)."""
        x = self.deberta(ids, mask)
        config = self.deberta.config
        if self.head == "masks":
            head = self.cls.predictions
            x = x.flatten(0, 1)[at]
            x = head.transform["LayerNorm"](
                F.gelu(head.transform["dense"](x)))
            words = self.deberta.embeddings["word_embeddings"].weight
            return F.linear(x, words, head.bias)
        if self.head == "sequence":
            x = F.gelu(self.pooler["dense"](x[:, 0]))
            return self.classifier(
                F.dropout(x, config.hidden_dropout_prob, self.training))
        if self.head == "tokens":
            return self.classifier(
                F.dropout(x, config.hidden_dropout_prob, self.training))
        return self.qa_outputs(x)
