"""One HTML page that tells a plan, a comparison or a sweep.

Other rooms use:

- ``cases``: runs_report, sweep_report, uncertainty_report, whatif_report
- ``notebook``: as_run, sweep_html
- ``plan``: plan_report
- ``report``: refuse, Report
"""
