"""Why there is no plan, and the cheapest ways out.

Other rooms use:

- ``demands``: elastic, least_missed
- ``diagnose``: conflicts_in_words, diagnose, Diagnosis, shortly
"""
