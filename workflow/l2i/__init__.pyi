from l2i.features.spectral import FrontEnd as FrontEnd
from l2i.interpretation.explanation import Component as Component
from l2i.interpretation.explanation import Explanation as Explanation
from l2i.interpretation.model import Model as Model
from l2i.models import load as load
from l2i.networks.adapter import Adapter as Adapter
from l2i.systems.own_classifier import train_interpreter as train_interpreter

__version__: str
