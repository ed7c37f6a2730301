"""The words of the dashboard, each in at most twenty words."""

import streamlit as st

from pages.ui.widgets import facts

WORDS = {
    "Prefill": "Reading a prompt: heavy on arithmetic.",
    "Decode": "Writing the answer, a token at a time: heavy on memory.",
    "Token": "A piece of text, about three quarters of a word.",
    "Useful token": "An output token of a request that met both of its service levels.",
    "Output : input": "Tokens written over tokens read; 1 : 10 reads ten for each one written.",
    "Split": "Prefill and decode run in pools of chips of their own.",
    "Bifurcation tax": "What is still lost on the chips you own, after all software remedies.",
    "Stranded power": "Megawatts provisioned, not needed by the work, and freed by a remedy.",
    "Recovered power": "Provisioned now less what the best option you can buy is provisioned for.",
    "Service level": "Longest wait of 99 in 100 requests, for the first and each further token.",
    "KV cache": "What a chip remembers of a conversation while it answers.",
    "Replica": "The chips that hold one copy of a model.",
    "Pool": "Replicas that do one kind of work.",
    "NPV": "Present value of future cash, here against carrying on as built.",
    "P10 to P90": "Eight of ten futures lie between these two values.",
    "Flip": "The value of an input at which another decision becomes right.",
    "PUE": "Power at the meter over power of the machines.",
    "Paper chip": "A design that was published but cannot be bought.",
    "Backfill": "Other work, such as training, that idle chips take on.",
}


def show() -> None:
    """The words behind one fold under every page."""
    fold = st.expander(
        "Words used here", key="glossary", on_change="rerun", icon=":material/menu_book:"
    )
    if fold.open:
        with fold:
            facts(((word, said) for word, said in WORDS.items()), alt="Glossary")
