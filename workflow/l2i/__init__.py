"""Listen to Interpret (arXiv 2305.07132): hear why a sound is classified as it is.

As a library, it explains sounds:

>>> import l2i
>>> model = l2i.load()  # a small model that ships with it; or l2i.load("results/esc10", fold=1)
>>> explanation = model.explain("dog.wav")
>>> print(explanation)
>>> explanation.save("page")  # sounds, and a page that plays them

and learns to explain a classifier of one's own (docs/explain_your_own.ipynb):

>>> classifier = l2i.Adapter(network, front_end, clip_seconds=5, taps=["conv4", "conv5"])
>>> model = l2i.train_interpreter(classifier, sounds, classes, front_end, clip_seconds=5)

Below lie the method, its baselines and its measures, pure and without the workflow.
"""

__version__ = "0.2.0"
__all__ = [
    "Adapter",
    "Component",
    "Explanation",
    "FrontEnd",
    "Model",
    "__version__",
    "load",
    "train_interpreter",
]


def __getattr__(name: str) -> object:
    """The public names, found when they are asked for: most of what lies below needs no torch."""
    homes = {
        "load": "models",
        "Model": "interpretation.model",
        "Explanation": "interpretation.explanation",
        "Component": "interpretation.explanation",
        "Adapter": "networks.adapter",
        "FrontEnd": "features.spectral",
        "train_interpreter": "systems.own_classifier",
    }
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"l2i.{homes[name]}"), name)


def __dir__() -> list[str]:
    return __all__
