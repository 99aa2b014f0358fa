"""The what-if page: levers moved in a browser, plans re-made from a session that is kept warm.

Other rooms use:

- ``desk``: desk_of
- ``server``: serve
"""
