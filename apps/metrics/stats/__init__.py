"""How sure a pilot's findings are. Pure: numpy and scipy, no Django, no clock, no chance unseeded.

`crossover` compares within developers, `bradley_terry` by blind votes; `contrasts` and `looks` turn
what either estimates into intervals and verdicts. Arrays may have leading dimensions: simulations
and bootstraps run many pilots at once through the very code that pages rely on.
"""
