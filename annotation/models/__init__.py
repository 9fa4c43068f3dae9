from annotation.models.calibration import CalibrationItem, CalibrationMember, CalibrationSession
from annotation.models.consensus import Consensus, ConsensusFinding
from annotation.models.label import Draft, Label, LabelFinding

__all__ = [
    "CalibrationItem",
    "CalibrationMember",
    "CalibrationSession",
    "Consensus",
    "ConsensusFinding",
    "Draft",
    "Label",
    "LabelFinding",
]
