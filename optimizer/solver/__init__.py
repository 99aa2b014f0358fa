"""Program in, proved solution out.

Other rooms use:

- ``certify``: Certificate, certify
- ``compile``: compile_terms, Compiled, compiled, numbers_of
- ``highs``: basis_codes, checked_options, solve
- ``model_files``: write_model
- ``parametric``: line, Line, NotExact, optimal, Piece, pieces, same_structure
- ``program``: Basis, BoolArray, DUAL, FloatArray, IntArray, LinearProgram, Option, PERTURBED_PRIMAL, PRIMAL,
  Solution, SolveOptions, Status
- ``sides``: both_sides, Directions, Sides
- ``solving``: certified, COLD_AGAIN, judged, settled, taken, with_whole_fixed
- ``stages``: carried, fixed_where, lifted, matching_nodes, Stage, Start, start_of
- ``weights``: node_weights
"""
