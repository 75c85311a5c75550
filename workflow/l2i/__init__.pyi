from l2i.interpretation.explanation import Component as Component
from l2i.interpretation.explanation import Explanation as Explanation
from l2i.interpretation.model import Model as Model
from l2i.models import load as load

__version__: str
