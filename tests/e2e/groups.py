"""Answers of models of the caller's schema, as groups.json has them."""


def value_of(value):
    if value.HasField("start"):
        return [value.text, value.score, value.start, value.end]
    return [value.text, value.score]


def structured(result):
    return {"structures": [[s.structure_index,
                            [[value_of(v) for v in f.values] for f in s.fields]]
                           for s in result.structures],
            "relations": [[r.relation_index, value_of(r.head), value_of(r.tail)]
                          for r in result.relations]}


def parts(found):
    """Everything but scores, and the scores."""
    if isinstance(found, dict):
        found = [found["structures"], found["relations"]]
    if isinstance(found, float):
        return None, [found]
    if not isinstance(found, list):
        return found, []
    pairs = [parts(part) for part in found]
    return [form for form, _ in pairs], [s for _, scores in pairs for s in scores]
