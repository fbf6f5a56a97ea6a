"""Turns the texts beside it, and texts made here by rule, into the files of the labelled set.

The made ones resemble each other on purpose: only a number, a name or a place tells one from the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DIRECTORY = Path(__file__).parent / "documents"

_COMPANIES = ("Halden Mills", "Corvina Foods", "Marlow & Finch", "Tessera Labs", "Brightwater", "Juniper Freight")
_GOODS = ("printer cartridges", "safety gloves", "cardboard boxes", "laptop stands", "LED tubes")
_MACHINES = ("lathe", "conveyor", "packing robot", "air compressor", "paint booth", "forklift")
_FAULTS = (
    ("oil leaked from the gearbox seal", "replaced the seal and topped up the oil"),
    ("the emergency stop did not release", "cleaned the contacts and tested it three times"),
    ("vibration above the limit at full speed", "balanced the rotor and tightened the mounts"),
    ("the sensor lost its calibration", "calibrated it against the reference block"),
    ("the fuse blew twice within an hour", "found a chafed cable and insulated it"),
)
_TEAMS = ("Marketing", "Logistics", "Customer support", "Legal", "Research")
_TOPICS = (
    ("the new logo", "two drafts are shown to ten customers before anything is printed"),
    ("delays at the port", "urgent parcels go by rail until the strike is over"),
    ("the waiting time on the hotline", "a second shift starts at six in the morning"),
    ("the patent in Korea", "an attorney in Seoul answers the examiner by the deadline"),
    ("the cooling of the laser", "a larger pump is ordered and tried on the second bench"),
    ("the office move", "every desk is labelled and crates arrive on the previous evening"),
)
_PEOPLE = ("Amara", "Björn", "Chiara", "Dmitri", "Eun-ji", "Farid")
_PLACES = ("Lake Bled", "the Dolomites", "Porto", "Gotland", "Kraków", "the Hebrides")
_DOINGS = (
    ("rowed to the island and climbed the bell tower", "a thunderstorm kept us under a boat shed"),
    ("hired bicycles and followed the coast", "the chain broke twice on the way back"),
    ("tasted local cheese at a farm", "the farmer's dog followed us to the bus"),
    ("watched seabirds through a telescope", "fog came in before noon"),
)


@dataclass(frozen=True)
class Document:
    """A file of the set: its name and its text, parted into pages."""

    name: str
    pages: tuple[str, ...]


def documents() -> list[Document]:
    """Every file, always the same ones in the same order."""
    written = [document for path in sorted(_DIRECTORY.glob("*.txt")) for document in _read(path)]
    return [*written, *_invoices(), *_maintenance(), *_meetings(), *_trips(), _handbook()]


def _read(path: Path) -> Iterator[Document]:
    for block in path.read_text("utf-8").split("=== ")[1:]:
        name, _, text = block.partition("\n")
        yield Document(name.strip(), (text.strip(),))


def _invoices() -> Iterator[Document]:
    for i in range(30):
        number, company, goods = f"PO-{88001 + i}", _COMPANIES[i % 6], _GOODS[i % 5]
        text = (
            f"Invoice {number}. {company} received {10 + 7 * i} units of {goods} at {2 + i % 9}.50 each. "
            f"Payment is expected by the {1 + i % 28}th; quote the number {number} with the transfer. "
            f"Reclamations are accepted within eight days of delivery."
        )
        yield Document(f"invoice-{number}.pdf", (text,))


def _maintenance() -> Iterator[Document]:
    for i in range(30):
        ticket, (fault, repair) = f"MX-{1100 + i}", _FAULTS[i % 5]
        machine = _MACHINES[i % 6]
        text = (
            f"Ticket {ticket}, {machine} number {1 + i % 7}. On the {1 + i % 28}th {fault}. The technician {repair}. "
            f"The {machine} stood still for {15 + 5 * i} minutes and was released by the shift leader."
        )
        yield Document(f"maintenance-{ticket}.txt", (text,))


def _meetings() -> Iterator[Document]:
    for i in range(30):
        team, person = _TEAMS[i % 5], _PEOPLE[(i // 5) % 6]
        topic, outcome = _TOPICS[i % 6]
        text = (
            f"{team} met under the lead of {person} to talk about {topic}. It was agreed that {outcome}. "
            f"{person} reports on progress in week {10 + i}. Nobody objected; the next meeting is shorter."
        )
        yield Document(f"minutes-{team.lower().replace(' ', '-')}-week{10 + i}.docx", (text,))


def _trips() -> Iterator[Document]:
    for i in range(24):
        place, (doing, mishap) = _PLACES[i % 6], _DOINGS[i // 6]
        text = (
            f"In {place} we {doing}. The rooms were small but clean, breakfast came with home-made jam. "
            f"Unfortunately {mishap}, yet everybody wants to return to {place} next year."
        )
        yield Document(f"trip-{place.removeprefix('the ').lower().replace(' ', '-')}-{1 + i // 6}.md", (text,))


def _handbook() -> Document:
    pages = tuple(
        f"Chapter {i + 1}: the {_MACHINES[i % 6]}. Before work inspect the {_MACHINES[i % 6]} for visible damage. "
        f"If {_FAULTS[i % 5][0]}, stop at once and open a ticket. Only trained staff may repair it; a trained person "
        f"has {_FAULTS[i % 5][1].replace('tested', 'checked')} at least once under supervision. Keep the area swept."
        for i in range(30)
    )
    return Document("workshop-handbook.pdf", pages)
