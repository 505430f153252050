"""One workflow run as a state machine: a noun a file, decisions that return transitions, folds that write state.

``draft.Draft`` is the only way in: it forks a state, applies the transitions that the nouns decide, and yields the new
state with the events, the effects and the instant at which the run wants attention next.
"""
