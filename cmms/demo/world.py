"""Brightwater Beverages as tables: sites, lines, machines, people, reasons and the work that is planned for them.

Names and figures only; `plant.py` makes rows of them, the other modules make them live.
"""

from dataclasses import dataclass, field
from datetime import time

from people.roles import Role

PASSWORD = "walk the plant"


@dataclass(frozen=True)
class SiteSpec:
    code: str
    name: str
    time_zone: str
    currency: str
    holidays: tuple[tuple[int, int, str], ...]  # month, day, name


SITES = [
    SiteSpec(
        "regensburg", "Brightwater Regensburg", "Europe/Berlin", "EUR",
        ((1, 1, "New Year"), (1, 6, "Epiphany"), (5, 1, "Labour Day"), (8, 15, "Assumption Day"),
         (10, 3, "German Unity Day"), (11, 1, "All Saints"), (12, 24, "Christmas Eve"), (12, 25, "Christmas Day"),
         (12, 26, "Boxing Day"), (12, 31, "New Year's Eve")),
    ),
    SiteSpec(
        "joliet", "Brightwater Joliet", "America/Chicago", "USD",
        ((1, 1, "New Year's Day"), (7, 4, "Independence Day"), (11, 11, "Veterans Day"), (12, 24, "Christmas Eve"),
         (12, 25, "Christmas Day")),
    ),
]  # fmt: skip

# username, first name, last name, {site: roles}, hourly rate
PEOPLE = [
    ("sabine", "Sabine", "Keller", {"regensburg": [Role.ADMINISTRATOR], "joliet": [Role.ADMINISTRATOR]}, None),
    ("henrik", "Henrik", "Vogt", {"regensburg": [Role.MANAGER], "joliet": [Role.MANAGER]}, None),
    ("miriam", "Miriam", "Brandt", {"regensburg": [Role.PLANNER]}, 52),
    ("jonas", "Jonas", "Weber", {"regensburg": [Role.TECHNICIAN]}, 46),
    ("aylin", "Aylin", "Demir", {"regensburg": [Role.TECHNICIAN]}, 48),
    ("pavel", "Pavel", "Novák", {"regensburg": [Role.TECHNICIAN]}, 45),
    ("lena", "Lena", "Hofmann", {"regensburg": [Role.REQUESTER]}, None),
    ("dana", "Dana", "Whitfield", {"joliet": [Role.MANAGER]}, None),
    ("luis", "Luis", "Ortega", {"joliet": [Role.PLANNER]}, 58),
    ("marcus", "Marcus", "Reed", {"joliet": [Role.TECHNICIAN]}, 54),
    ("grace", "Grace", "Okafor", {"joliet": [Role.TECHNICIAN]}, 56),
    ("tom", "Tom", "Becker", {"joliet": [Role.REQUESTER]}, None),
]

# code, name, planned, excluded from planned production, loss class
REASONS = [
    ("mechanical", "Mechanical breakdown", False, False, "breakdown"),
    ("electrical", "Electrical breakdown", False, False, "breakdown"),
    ("controls", "Control or sensor fault", False, False, "breakdown"),
    ("jam", "Jam", False, False, "other"),
    ("no-material", "Waiting for material", False, False, "other"),
    ("upstream", "Waiting for the machine before", False, False, "other"),
    ("changeover", "Changeover", True, False, "setup"),
    ("cleaning", "Cleaning in place", True, False, "setup"),
    ("meal", "Meal break", True, True, "other"),
    ("no-demand", "No demand", True, True, "other"),
    ("maintenance", "Planned maintenance", True, True, "other"),
]


@dataclass(frozen=True)
class Kind:
    """How machines of a kind fail: characteristic life in operating hours, wear, and minutes to repair."""

    code: str
    name: str
    life: float
    wear: float  # Weibull shape
    repair: float  # median minutes
    jams: float = 0.0  # short stops in an 8-hour shift
    problems: tuple[tuple[str, str, str, str], ...] = ()  # problem, failed item, cause, remedy


KINDS = [
    Kind("depalletiser", "Depalletiser", 190, 1.3, 80, 0.8, (
        ("Sheet gripper does not pick", "Suction cup", "Worn", "Replaced"),
        ("Layer pushed off skew", "Guide rail", "Out of adjustment", "Adjusted"))),
    Kind("blow-moulder", "Blow moulder", 120, 1.4, 110, 1.0, (
        ("Preform oven too cold", "Heating lamp", "Burnt out", "Replaced"),
        ("Mould does not lock", "Mould carrier", "Worn", "Repaired"),
        ("Leaking stretch rod", "Seal", "Worn", "Replaced"))),
    Kind("washer", "Bottle washer", 255, 1.5, 142, 0.3, (
        ("Pocket chain jerks", "Chain", "Stretched", "Adjusted"),
        ("Caustic pump loses pressure", "Pump seal", "Worn", "Replaced"))),
    Kind("inspector", "Empty bottle inspector", 335, 1.0, 48, 0.6, (
        ("Rejects good bottles", "Camera", "Dirty", "Cleaned"),
        ("Reject unit does not fire", "Valve", "Stuck", "Replaced"))),
    Kind("filler", "Filler", 105, 1.5, 91, 1.2, (
        ("Fill level too low", "Filling valve", "Worn", "Replaced"),
        ("Main drive trips", "Gearbox", "Oil leak", "Repaired"),
        ("CO2 pressure drifts", "Control valve", "Out of adjustment", "Adjusted"),
        ("Bottle lift stays down", "Lift cylinder", "Worn", "Replaced"))),
    Kind("capper", "Capper", 170, 1.4, 61, 1.4, (
        ("Torque out of limits", "Capping head", "Worn", "Replaced"),
        ("Cap chute blocked", "Cap sorter", "Foreign body", "Cleaned"))),
    Kind("seamer", "Can seamer", 150, 1.6, 104, 0.9, (
        ("Seam out of tolerance", "Seaming roll", "Worn", "Replaced"),
        ("Lid feed misses", "Lid separator", "Worn", "Replaced"))),
    Kind("pasteuriser", "Tunnel pasteuriser", 370, 1.3, 171, 0.2, (
        ("Zone temperature falls", "Steam valve", "Stuck", "Repaired"),
        ("Spray bar blocked", "Nozzle", "Scale", "Cleaned"))),
    Kind("labeller", "Labeller", 115, 1.2, 53, 1.8, (
        ("Label skew", "Glue roller", "Dirty", "Cleaned"),
        ("No label", "Gripper cylinder", "Worn", "Replaced"),
        ("Label web tears", "Brake", "Out of adjustment", "Adjusted"))),
    Kind("coder", "Date coder", 280, 1.0, 34, 0.4, (
        ("No print", "Print head", "Dirty", "Cleaned"),
        ("Ink pressure low", "Ink pump", "Worn", "Replaced"))),
    Kind("checkweigher", "Check weigher", 480, 1.0, 42, 0.2, (
        ("Weight drifts", "Load cell", "Out of adjustment", "Adjusted"),)),
    Kind("packer", "Case packer", 135, 1.3, 68, 1.5, (
        ("Gripper head drops bottles", "Gripper tulip", "Worn", "Replaced"),
        ("Flaps stay open", "Folding arm", "Out of adjustment", "Adjusted"))),
    Kind("shrink-wrapper", "Shrink wrapper", 160, 1.2, 65, 1.2, (
        ("Film does not cut", "Cutting knife", "Worn", "Replaced"),
        ("Tunnel too cold", "Heating rod", "Burnt out", "Replaced"))),
    Kind("palletiser", "Palletiser", 130, 1.4, 84, 0.9, (
        ("Layer gripper loses cartons", "Vacuum pump", "Worn", "Repaired"),
        ("Lift overshoots", "Encoder", "Loose", "Adjusted"),
        ("Pallet jams", "Roller conveyor", "Broken pallet", "Cleaned"))),
    Kind("conveyor", "Conveyor", 305, 1.2, 49, 0.9, (
        ("Chain stands", "Drive motor", "Overload", "Replaced"),
        ("Bottles fall over", "Guide rail", "Out of adjustment", "Adjusted"))),
    Kind("mixer", "Mixer", 415, 1.1, 99, 0.2, (
        ("Brix out of limits", "Dosing pump", "Worn", "Repaired"),)),
    Kind("compressor", "Compressor", 1500, 1.4, 190, 0.0, (
        ("Discharge temperature high", "Oil cooler", "Dirty", "Cleaned"),
        ("Does not load", "Intake valve", "Stuck", "Repaired"))),
    Kind("chiller", "Chiller", 1900, 1.2, 240, 0.0, (
        ("High pressure trip", "Condenser", "Dirty", "Cleaned"),
        ("Refrigerant low", "Shaft seal", "Leak", "Replaced"))),
    Kind("boiler", "Steam boiler", 2600, 1.1, 210, 0.0, (
        ("Burner lock-out", "Flame sensor", "Dirty", "Cleaned"),)),
    Kind("pump", "Pump", 1300, 1.3, 80, 0.0, (
        ("Leaks", "Mechanical seal", "Worn", "Replaced"),
        ("Vibrates", "Bearing", "Worn", "Replaced"))),
    Kind("robot", "Palletising robot", 900, 1.0, 60, 0.1, ()),
]  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """`stops`: its stop stops the line; `speed`: its ideal cycle as a share of the line's (None: it does not count)."""

    code: str
    name: str
    kind: str
    criticality: str = "C"
    stops: bool = False
    speed: float | None = None
    components: tuple[str, ...] = ()
    hour_down: int | None = None
    life: float = 1.0  # how much better (or worse) than its kind
    trend: float = 0.0  # change of its life over the two years: -0.5 halves it
    fails: bool = True


@dataclass(frozen=True)
class Pattern:
    """A weekly pattern that holds from a share of the two years on; slots are (weekdays, start, end)."""

    name: str
    since: float
    slots: tuple[tuple[str, time, time], ...]


EARLY, LATE, NIGHT = (time(6), time(14)), (time(14), time(22)), (time(22), time(6))
DAY12, NIGHT12 = (time(6), time(18)), (time(18), time(6))


@dataclass(frozen=True)
class Line:
    code: str
    name: str
    site: str
    area: str
    cycle: float  # seconds per piece, of the slowest machine
    products: tuple[tuple[str, float], ...]  # name, ideal cycle as a share of the line's
    patterns: tuple[Pattern, ...]
    machines: tuple[Machine, ...]
    pace: float = 0.92  # usual performance
    scrap: float = 0.014
    hour_down: int = 2400
    meals: bool = False
    criticality: str = "A"


LINES = [
    Line(
        "L1", "Line 1 · returnable glass", "regensburg", "FILL", 0.12,
        (("Mineral water 0.7 l", 1.0), ("Apple spritzer 0.5 l", 0.9)),
        (Pattern("Three shifts", 0.0, (("01234", *EARLY), ("01234", *LATE), ("01234", *NIGHT))),),
        (
            Machine("L1-DP1", "Depalletiser", "depalletiser", "B", speed=0.80, components=("Layer head",)),
            Machine("L1-CV1", "Crate conveyor", "conveyor"),
            Machine("L1-UP1", "Unpacker", "packer", "B", speed=0.82),
            Machine("L1-BW1", "Bottle washer", "washer", "A", True, 0.88, ("Caustic pump", "Main drive"), 1900),
            Machine("L1-EI1", "Empty bottle inspector", "inspector", "A", speed=0.95),
            Machine("L1-MX1", "Mixer and carbonator", "mixer", "B"),
            Machine("L1-FI1", "Filler", "filler", "A", True, 1.0, ("Main gearbox", "Filling valves", "Starwheel drive"),
                    2400, trend=-0.45),
            Machine("L1-CA1", "Capper", "capper", "A", True, 1.0, ("Capping heads",)),
            Machine("L1-FI2", "Fill level inspector", "inspector", "B", speed=0.95, life=1.6),
            Machine("L1-CV2", "Bottle conveyor", "conveyor", "B"),
            Machine("L1-LA1", "Labeller", "labeller", "B", speed=0.90, components=("Glue station", "Label gripper")),
            Machine("L1-DC1", "Date coder", "coder"),
            Machine("L1-PA1", "Crate packer", "packer", "B", speed=0.86, components=("Gripper head",)),
            Machine("L1-CW1", "Crate washer", "washer", "C", life=1.3),
            Machine("L1-PL1", "Palletiser", "palletiser", "A", True, 0.85, ("Layer gripper", "Lift drive"),
                    1600, trend=0.9),
            Machine("L1-CV3", "Pallet conveyor", "conveyor"),
        ),
        pace=0.905,
    ),
    Line(
        "L2", "Line 2 · PET", "regensburg", "FILL", 0.15,
        (("Mineral water 1.5 l", 1.0), ("Lemonade 1.0 l", 0.92)),
        (
            Pattern("Two shifts", 0.0, (("01234", *EARLY), ("01234", *LATE))),
            Pattern("Two shifts and Saturday", 0.55, (("01234", *EARLY), ("01234", *LATE), ("5", *EARLY))),
        ),
        (
            Machine("L2-BM1", "Blow moulder", "blow-moulder", "A", True, 0.94, ("Preform oven", "Mould carrier"), 2100),
            Machine("L2-CV1", "Air conveyor", "conveyor"),
            Machine("L2-RI1", "Rinser", "washer", "B", speed=0.90, life=1.5),
            Machine("L2-FI1", "Filler", "filler", "A", True, 1.0, ("Main gearbox", "Filling valves"), 2100),
            Machine("L2-CA1", "Capper", "capper", "A", True, 1.0, ("Cap sorter",)),
            Machine("L2-MX1", "Syrup mixer", "mixer", "B"),
            Machine("L2-LA1", "Wrap-around labeller", "labeller", "B", speed=0.88, life=0.8),
            Machine("L2-DC1", "Laser coder", "coder", fails=True, life=1.4),
            Machine("L2-CW1", "Check weigher", "checkweigher", "C", speed=0.90, fails=False),
            Machine("L2-SW1", "Shrink wrapper", "shrink-wrapper", "B", True, 0.87, ("Sealing bar",), trend=-0.2),
            Machine("L2-HA1", "Handle applicator", "packer", "C", life=1.2),
            Machine("L2-PL1", "Palletiser", "palletiser", "B", True, 0.84, ("Layer gripper",)),
            Machine("L2-CE1", "Case erector", "packer", "C", life=1.4),
            Machine("L2-SW2", "Stretch wrapper", "shrink-wrapper", "C", life=1.5),
        ),
        pace=0.885, scrap=0.019, hour_down=1700, meals=True, criticality="B",
    ),
    Line(
        "L3", "Line 3 · cans", "joliet", "FILL", 0.06,
        (("Cola 12 oz", 1.0), ("Iced tea 12 oz", 1.0), ("Seltzer 16 oz", 1.15)),
        (
            Pattern("Day shift", 0.0, (("012345", *DAY12),)),
            Pattern("Two twelve-hour shifts", 0.2, (("01234", *DAY12), ("01234", *NIGHT12), ("5", *DAY12))),
        ),
        (
            Machine("L3-DP1", "Can depalletizer", "depalletiser", "B", speed=0.82, components=("Sweep arm",)),
            Machine("L3-CV1", "Can conveyor", "conveyor"),
            Machine("L3-RI1", "Can rinser", "washer", "C", speed=0.85, life=2.0),
            Machine("L3-MX1", "Blender", "mixer", "B"),
            Machine("L3-FI1", "Can filler", "filler", "A", True, 1.0, ("Main gearbox", "Filling valves"), 3100),
            Machine("L3-SE1", "Seamer", "seamer", "A", True, 1.0, ("Seaming heads", "Lid feed"), 3100, trend=-0.3),
            Machine("L3-XR1", "X-ray fill inspector", "inspector", "B", speed=0.95),
            Machine("L3-PT1", "Tunnel pasteurizer", "pasteuriser", "A", True, 0.90, ("Steam valves", "Belt drive"),
                    3100),
            Machine("L3-CV2", "Can dryer and conveyor", "conveyor", "C"),
            Machine("L3-DC1", "Date coder", "coder", life=0.7),
            Machine("L3-PA1", "Carton packer", "packer", "B", True, 0.88, ("Folding arms",), 2600),
            Machine("L3-SW1", "Tray shrink wrapper", "shrink-wrapper", "B", speed=0.86),
            Machine("L3-CW1", "Check weigher", "checkweigher", "C", speed=0.90),
            Machine("L3-PL1", "Palletizer", "palletiser", "B", True, 0.83, ("Lift drive",), 2200, life=1.2),
            Machine("L3-SW2", "Pallet wrapper", "shrink-wrapper", "C", life=1.4),
            Machine("L3-CV3", "Pallet conveyor", "conveyor"),
        ),
        pace=0.895, scrap=0.011, hour_down=3100,
    ),
]  # fmt: skip

# site, machines of the utilities; those of the group stand in for each other
UTILITIES = {
    "regensburg": (
        Machine("UT-CH1", "Chiller 1", "chiller", "A", hour_down=900),
        Machine("UT-CH2", "Chiller 2", "chiller", "B", life=1.2),
        Machine("UT-BO1", "Steam boiler", "boiler", "A", components=("Burner",), hour_down=1400),
        Machine("UT-WP1", "Well pump", "pump", "A", components=("Motor", "Mechanical seal"), life=0.8),
        Machine("UT-WP2", "Booster pump", "pump", "B"),
    ),
    "joliet": (
        Machine("UT-CH1", "Chiller", "chiller", "A", hour_down=1100),
        Machine("UT-BO1", "Steam boiler", "boiler", "A", components=("Burner",), hour_down=1500),
        Machine("UT-WP1", "City water booster pump", "pump", "B", components=("Motor",)),
    ),
}
COMPRESSORS = {
    "regensburg": (
        Machine("UT-AC1", "Compressor 1", "compressor", "B", components=("Motor",)),
        Machine("UT-AC2", "Compressor 2", "compressor", "B", life=0.7),
        Machine("UT-AC3", "Compressor 3", "compressor", "B", life=1.3),
    ),
    "joliet": (
        Machine("UT-AC1", "Compressor 1", "compressor", "B"),
        Machine("UT-AC2", "Compressor 2", "compressor", "B", life=0.8),
    ),
}
VALUE_IN_HOURS = 1500  # what it would cost to replace a line, in hours of it down
COMPRESSORS_NEEDED = {"regensburg": 2, "joliet": 1}
NEW_MACHINE = Machine("L2-RB1", "Palletising robot", "robot", "B", fails=False)  # delivered, not yet in operation
NEW_MACHINE_DAYS = 18
RETIRED_MACHINE = Machine("L1-DC0", "Date coder (old)", "coder")  # replaced by L1-DC1
RETIRED_AFTER = 0.35  # share of the two years
MOVED = ("L2-SW2", "L1", 0.6)  # stood on line 1 until this share of the two years had passed


@dataclass(frozen=True)
class Job:
    """A job plan and when it is due on which kinds of machines; steps are (kind, text, unit, low, high, choices)."""

    code: str
    title: str
    minutes: int
    every: int
    unit: str
    kinds: tuple[str, ...]
    steps: tuple[tuple, ...]
    floating: bool = False
    weekdays: tuple[int, ...] = ()
    nth: int | None = None
    last_day: bool = False
    description: str = ""
    parts: tuple[int, int] = field(default=(0, 0))  # usual cost of parts: chance in percent, amount


JOBS = [
    Job("LUB-FILL", "Lubricate filler and closer", 40, 2, "week", ("filler", "capper", "seamer"), (
        ("check", "Lock out and tag the main drive"),
        ("check", "Grease the starwheel bearings, two strokes each"),
        ("number", "Oil level in the main gearbox", "mm", 20, 45),
        ("pass", "Lifting cylinders run freely"),
        ("check", "Remove the lock and run in inching mode")), weekdays=(1,), parts=(20, 35)),
    Job("INS-LABEL", "Clean and inspect labeller", 30, 2, "week", ("labeller",), (
        ("check", "Clean glue rollers and scrapers"),
        ("pass", "Gripper pads free of wear"),
        ("pass", "Label web brake holds")), weekdays=(3,)),
    Job("INS-PALLET", "Inspect palletiser", 60, 1, "month", ("palletiser", "depalletiser"), (
        ("check", "Lock out and tag lift and gripper"),
        ("pass", "Lift chains without slack"),
        ("number", "Vacuum at the layer gripper", "mbar", -700, -400),
        ("pass", "Light curtains stop the machine"),
        ("text", "Remarks")), nth=2, weekdays=(2,)),
    Job("PM-PACK", "Service packer and wrapper", 75, 1, "month", ("packer", "shrink-wrapper"), (
        ("pass", "Gripper heads and folding arms without play"),
        ("number", "Sealing bar temperature", "°C", 150, 190),
        ("check", "Belts tensioned")), last_day=True, parts=(35, 90)),
    Job("PM-CONV", "Check conveyor drives", 25, 1, "month", ("conveyor",), (
        ("pass", "Chain elongation within the mark"),
        ("number", "Motor current", "A", 2, 9),
        ("check", "Wear strips and guide rails tight"))),
    Job("CAL-INSP", "Verify inspectors with test bottles", 20, 1, "week", ("inspector", "checkweigher"), (
        ("pass", "All test samples rejected"),
        ("choice", "Sensitivity setting", ("A", "B", "C"))), weekdays=(0,)),
    Job("PM-WASH", "Service washer", 150, 3, "month", ("washer", "pasteuriser"), (
        ("check", "Lock out, drain and ventilate"),
        ("pass", "Spray nozzles open"),
        ("number", "Pocket chain elongation", "%", 0, 2),
        ("pass", "Caustic pump tight")), parts=(60, 240)),
    Job("PM-COMP", "Compressor service", 180, 2000 // 24, "day", ("compressor",), (
        ("check", "Isolate and vent"),
        ("check", "Change oil filter and air filter"),
        ("number", "Discharge temperature", "°C", 60, 95),
        ("pass", "Safety valve sealed and in date")), floating=True, parts=(100, 310)),
    Job("PM-CHILL", "Chiller leak check", 90, 6, "month", ("chiller",), (
        ("pass", "No refrigerant leak found"),
        ("number", "Superheat", "K", 4, 9),
        ("text", "Leak detector serial number"))),
    Job("PM-BOIL", "Boiler safety check", 120, 3, "month", ("boiler",), (
        ("pass", "Low-water cut-off trips"),
        ("pass", "Safety valve lifts"),
        ("number", "Flue gas temperature", "°C", 140, 220)), parts=(30, 120)),
    Job("PM-PUMP", "Vibration check of pumps", 15, 1, "month", ("pump",), (
        ("number", "Vibration at the drive end", "mm/s", 0, 4.5),
        ("pass", "Seal dry"))),
    Job("PM-BLOW", "Blow moulder service", 240, 6, "week", ("blow-moulder",), (
        ("check", "Lock out compressed air and drive"),
        ("check", "Grease mould carriers"),
        ("pass", "Stretch rods without play"),
        ("number", "Lamp hours since last change", "h", 0, 2000)), floating=True, parts=(80, 420)),
]  # fmt: skip

REQUESTS = [
    ("Squealing noise at the drive", "It starts when the line speeds up.", False),
    ("Oil under the machine", "About the size of a hand, near the gearbox.", False),
    ("Guard door switch needs two tries", "The light stays red the first time.", False),
    ("Labels slip to the left", "Every tenth bottle or so since the changeover.", False),
    ("Air hissing at the valve block", "", False),
    ("Display goes dark for a second", "Three times this shift.", False),
    ("Stops with overload", "Reset helps for half an hour.", True),
    ("Cartons hang at the folding station", "Worse with the thin cartons.", False),
]
IMPROVEMENTS = [
    ("Fit a sight glass to the gearbox", "So that the oil level is seen without opening the cover."),
    ("Move the grease points outside the guard", "Lubrication without locking out."),
    ("Replace the guide rail by the quick-change set", "Saves ten minutes at each changeover."),
    ("Add a drip tray below the pump", "Slip hazard noted at the last safety walk."),
    ("Relabel the pneumatic lines", "The drawings and the machine disagree."),
]
