"""How to talk to providers in formats that are not OpenAI's chat completions, one module each.

`wire.py` says what a format is, `wires.py` which one each endpoint has, `delivery.py` what is sent
to a candidate's provider for a call.
"""
