#!/usr/bin/env python3
"""A server whose tool schemas are attacks on a validator; every tool echoes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rogue_server  # noqa: E402


def pattern(text):
    return {"type": "object", "properties": {"text": {"type": "string", "pattern": text}}}


def doubled():
    """Each definition names the next one twice: 2^60 steps for who follows them all."""
    rules = {"d%d" % n: {"allOf": [{"$ref": "#/$defs/d%d" % (n + 1)}] * 2} for n in range(60)}
    rules["d60"] = {"type": "string"}
    return {"type": "object", "properties": {"text": {"$ref": "#/$defs/d0"}}, "$defs": rules}


SCHEMAS = {
    "alternation": pattern("^(a|b)*$"),
    "letters": pattern("^[a-z]+$"),
    "nested_plus": pattern("^(a+)+$"),
    "backreference": pattern("^(a+)\\1$"),
    "self_reference": {"$ref": "#", "type": "object"},
    "mutual": {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "doubled": doubled(),
    "unique": {"type": "object", "properties": {"items": {"type": "array", "uniqueItems": True}}},
    "remote": {"type": "object", "properties": {"text": {"$ref": "http://127.0.0.1:9/schema.json"}}},
    "sound": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
}

for _name in SCHEMAS:
    setattr(rogue_server.Rogue, _name, rogue_server.Rogue.echo)
rogue_server.TOOLS = {name: ("echoes", schema) for name, schema in SCHEMAS.items()}

if __name__ == "__main__":
    rogue_server.main()
