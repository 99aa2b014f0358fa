"""Program in, proved solution out.

Other rooms use:

- ``certify``: Certificate, certify
- ``compile``: compile_terms, Compiled, compiled, numbers_of
- ``highs``: basis_codes, basis_of, checked_options, LOWER, solve, with_slack_row
- ``model_files``: write_model
- ``parametric``: both_sides, Directions, Line, line, NotExact, optimal, Piece, pieces, same_structure, Sides
- ``program``: Basis, BoolArray, DUAL, FloatArray, IntArray, LinearProgram, Option, PERTURBED_PRIMAL, PRIMAL,
  RANGED_COLUMNS, Solution, SolveOptions, Status, with_columns
- ``solving``: certified, COLD_AGAIN, judged, settled, taken, with_whole_fixed
- ``stages``: carried, fixed_where, lifted, Lowest, matching_nodes, Stage, Start, start_of
- ``weights``: node_weights
"""
