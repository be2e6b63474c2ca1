"""The models' configurations and their transformers classes."""

from transformers import (DebertaConfig, DebertaForMaskedLM,
                          DebertaForSequenceClassification, DebertaV2Config,
                          DebertaV2ForMaskedLM,
                          DebertaV2ForQuestionAnswering,
                          DebertaV2ForTokenClassification)

MODELS = {"section-classifier": ("v1", "sequence"),
          "mask-filler": ("v1", "masks"),
          "tech-tagger": ("v3", "tokens"),
          "package-qa": ("v3", "spans"),
          "entity-finder": ("v3", "labels")}
CLASSES = {("v1", "sequence"): DebertaForSequenceClassification,
           ("v1", "masks"): DebertaForMaskedLM,
           ("v3", "masks"): DebertaV2ForMaskedLM,
           ("v3", "tokens"): DebertaV2ForTokenClassification,
           ("v3", "spans"): DebertaV2ForQuestionAnswering}
SHARED = dict(hidden_size=256, num_hidden_layers=4, num_attention_heads=4,
              intermediate_size=768, hidden_act="gelu",
              hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
              max_position_embeddings=512, type_vocab_size=0,
              layer_norm_eps=1e-7, relative_attention=True,
              position_biased_input=False, pad_token_id=0,
              pooler_dropout=0, pooler_hidden_act="gelu",
              pooler_hidden_size=256)


def config(name, labels=None):
    named = {}
    if labels:
        named = dict(id2label=dict(enumerate(labels)),
                     label2id={label: i for i, label in enumerate(labels)})
    if name == "v1":
        return DebertaConfig(vocab_size=8000, max_relative_positions=64,
                             pos_att_type=["c2p", "p2c"], **SHARED, **named)
    return DebertaV2Config(vocab_size=8064, max_relative_positions=96,
                           position_buckets=32, share_att_key=True,
                           norm_rel_ebd="layer_norm",
                           pos_att_type=["p2c", "c2p"], **SHARED, **named)


def published(network, name, tokenizer, directory):
    """Writes a network as transformers saves it: fp16 stored, fp32 computed.

    The configuration says float32 because transformers' v1 attention cannot
    compute in fp16. The decoder is tied to the word embeddings: not stored.
    """
    model = CLASSES[(name, network.head)](network.deberta.config)
    state = network.state_dict()
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    if set(missing) - tied or unexpected:
        raise RuntimeError(f"names differ: {missing} {unexpected}")
    model.tie_weights()
    model.save_pretrained(directory, state_dict={
        key: value.half().contiguous() for key, value in state.items()})
    tokenizer.save_pretrained(directory)
    for path in directory.iterdir():
        path.chmod(0o644)
