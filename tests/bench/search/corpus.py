"""A seed into sentences about two dozen subjects, and their real embeddings into hundreds of thousands like them.

Uniform noise says nothing about recall: in it every vector is as far as every other. Here a few thousand sentences
are encoded by the real model; a segment's vector is a mixture of sentences of one subject plus noise that has the
covariance of the real ones, and its text is those sentences.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.local import LocalEncoder

SENTENCES_PER_SUBJECT = 120
QUERIES_PER_SUBJECT = 4

# Subject: who, does what, to what, where.
_SUBJECTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "harbour pilot|ferry captain|dock crane operator|lighthouse keeper|customs officer",
        "steered|moored|unloaded|inspected|repaired",
        "container ship|tug boat|fishing trawler|mooring rope|cargo manifest",
        "north quay|dry dock|outer breakwater|tidal basin|ferry terminal",
    ),
    (
        "head surgeon|night nurse|radiologist|physiotherapist|ward doctor",
        "examined|treated|discharged|diagnosed|scanned",
        "fractured wrist|chest infection|blood sample|heart murmur|knee injury",
        "emergency ward|operating theatre|outpatient clinic|children's hospital|recovery room",
    ),
    (
        "tax adviser|bookkeeper|auditor|payroll clerk|finance director",
        "approved|invoiced|reconciled|depreciated|refunded",
        "quarterly invoice|travel expense|balance sheet|supplier payment|annual budget",
        "accounting department|head office|shared ledger|bank branch|tax office",
    ),
    (
        "pastry chef|line cook|baker|sommelier|restaurant owner",
        "baked|seasoned|roasted|tasted|plated",
        "sourdough loaf|lemon tart|mushroom risotto|red wine sauce|roast chicken",
        "hotel kitchen|village bakery|street market|cooking school|tasting room",
    ),
    (
        "goalkeeper|striker|team coach|referee|midfielder",
        "saved|scored|defended|kicked|celebrated",
        "penalty kick|winning goal|corner kick|championship title|free kick",
        "home stadium|training ground|second half|cup final|away game",
    ),
    (
        "astronomer|rocket engineer|astronaut|planetary scientist|telescope operator",
        "observed|launched|photographed|tracked|calculated",
        "distant galaxy|lunar orbit|solar flare|comet tail|space probe",
        "mountain observatory|launch pad|space station|radio telescope|mission control",
    ),
    (
        "gardener|landscape architect|botanist|park ranger|flower grower",
        "planted|pruned|watered|harvested|fertilised",
        "rose bush|apple tree|tomato seedling|lavender bed|oak sapling",
        "botanical garden|greenhouse|city park|vegetable patch|nature reserve",
    ),
    (
        "software developer|database administrator|security researcher|release manager|system architect",
        "deployed|debugged|refactored|encrypted|benchmarked",
        "payment service|search index|login page|backup script|memory leak",
        "staging cluster|source repository|data centre|code review|incident call",
    ),
    (
        "judge|defence lawyer|notary|court clerk|public prosecutor",
        "signed|appealed|dismissed|notarised|negotiated",
        "rental contract|witness statement|patent claim|settlement offer|court order",
        "district court|law firm|arbitration hearing|land registry|appeal chamber",
    ),
    (
        "primary teacher|headmistress|physics professor|exam supervisor|school librarian",
        "taught|graded|explained|rehearsed|organised",
        "algebra lesson|reading exercise|physics experiment|final exam|school trip",
        "village school|lecture hall|university library|science classroom|summer course",
    ),
    (
        "violinist|jazz drummer|choir conductor|sound engineer|opera singer",
        "performed|recorded|composed|tuned|rehearsed",
        "string quartet|piano concerto|live album|bass solo|folk song",
        "concert hall|recording studio|open air festival|jazz club|music conservatory",
    ),
    (
        "bus driver|train conductor|bicycle courier|traffic planner|tram mechanic",
        "delayed|rerouted|parked|overhauled|scheduled",
        "night bus|freight train|cycle lane|signal box|electric tram",
        "central station|ring road|railway depot|roundabout|subway tunnel",
    ),
    (
        "real estate agent|bricklayer|site manager|plumber|roof tiler",
        "renovated|plastered|insulated|measured|sold",
        "kitchen extension|leaking pipe|slate roof|concrete foundation|apartment block",
        "building site|old town|new housing estate|cellar|attic floor",
    ),
    (
        "meteorologist|flood warden|weather presenter|climate researcher|rescue volunteer",
        "forecast|measured|reported|evacuated|modelled",
        "heavy snowfall|river flood|heat wave|wind gust|thunderstorm",
        "coastal plain|mountain valley|weather station|low lying district|river delta",
    ),
    (
        "dairy farmer|vet|shepherd|beekeeper|tractor driver",
        "milked|vaccinated|sheared|fed|ploughed",
        "dairy herd|lambing ewe|honey hive|wheat field|calving cow",
        "hill farm|milking parlour|livestock market|barn|grain silo",
    ),
    (
        "museum curator|art restorer|sculptor|gallery owner|portrait painter",
        "restored|exhibited|auctioned|sketched|catalogued",
        "oil painting|marble bust|bronze statue|watercolour|medieval manuscript",
        "national museum|private collection|sculpture garden|art academy|auction house",
    ),
    (
        "airline pilot|cabin attendant|air traffic controller|baggage handler|aircraft mechanic",
        "landed|boarded|diverted|refuelled|cleared",
        "delayed flight|lost suitcase|landing gear|boarding pass|jet engine",
        "departure gate|control tower|runway|maintenance hangar|arrival hall",
    ),
    (
        "electrician|power plant engineer|solar installer|grid operator|wind farm technician",
        "wired|installed|disconnected|metered|upgraded",
        "solar panel|fuse box|power transformer|wind turbine|charging station",
        "substation|rooftop|offshore platform|control room|hydroelectric dam",
    ),
    (
        "insurance broker|claims adjuster|loss assessor|underwriter|call centre agent",
        "settled|rejected|assessed|insured|renewed",
        "car accident claim|water damage|life policy|stolen bicycle|hail damage",
        "regional branch|customer hotline|claims portal|repair shop|accident scene",
    ),
    (
        "fashion designer|tailor|textile buyer|shoemaker|model",
        "sewed|dyed|presented|fitted|embroidered",
        "silk dress|wool coat|leather boot|cotton shirt|wedding gown",
        "fashion show|sewing workshop|department store|textile fair|fitting room",
    ),
    (
        "marine biologist|diver|wildlife photographer|ornithologist|forest ranger",
        "counted|filmed|tagged|sighted|protected",
        "humpback whale|coral reef|sea turtle|golden eagle|wolf pack",
        "marine reserve|mangrove swamp|national park|nesting cliff|rain forest",
    ),
    (
        "hotel receptionist|tour guide|travel agent|hiking guide|camp manager",
        "booked|cancelled|recommended|guided|upgraded",
        "double room|guided tour|beach holiday|mountain hike|sea view suite",
        "seaside resort|old monastery|alpine hut|hotel lobby|tourist office",
    ),
    (
        "archaeologist|historian|archive keeper|geologist|genealogist",
        "excavated|dated|documented|discovered|translated",
        "bronze age grave|roman coin|parish register|fossil bone|stone inscription",
        "excavation site|state archive|ancient temple|burial mound|limestone quarry",
    ),
    (
        "warehouse manager|forklift driver|delivery planner|packaging designer|quality inspector",
        "shipped|stocked|labelled|returned|inspected",
        "pallet of spare parts|fragile parcel|barcode label|defective batch|cold chain cargo",
        "distribution centre|loading bay|assembly line|storage rack|customs warehouse",
    ),
)
SUBJECTS = len(_SUBJECTS)

_NAMES = ("Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Silva", "Haddad", "Byrne", "Petrov", "Rossi", "Keller")
_TIMES = ("last winter", "on a Tuesday morning", "before the holidays", "in early spring", "after the audit", "at dawn")
_WHYS = (
    "because the old one had failed twice",
    "although nobody had asked for it",
    "and wrote a short report about it",
    "while two colleagues were watching",
    "so that the others could go on with their work",
    "and charged less than agreed",
)
_QUESTIONS = (
    "who {verb} the {thing} at the {place}?",
    "{thing} {place}",
    "what happened to the {thing}",
    "report by the {who} on the {thing}",
)

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Sentences:
    """Sentences in order of subject, as many of each, questions likewise, and their embeddings."""

    texts: tuple[str, ...]
    vectors: Matrix
    questions: tuple[str, ...]
    question_vectors: Matrix

    @property
    def of_a_subject(self) -> int:
        """How many sentences each subject has."""
        return len(self.texts) // SUBJECTS


async def sentences(
    cache: Path, of_a_subject: int = SENTENCES_PER_SUBJECT, questions_of_a_subject: int = QUERIES_PER_SUBJECT
) -> Sentences:
    """Written and encoded once; the embeddings lie in ``cache`` afterwards."""
    generator = np.random.default_rng(7)
    texts = tuple(_sentence(generator, s) for s in range(SUBJECTS) for _ in range(of_a_subject))
    questions = tuple(
        _question(generator, s, _QUESTIONS[i % len(_QUESTIONS)])
        for s in range(SUBJECTS)
        for i in range(questions_of_a_subject)
    )
    kept = cache / f"sentences-{len(texts)}-{len(questions)}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        vectors, asked = await _encoded(cache, texts, questions)
        np.savez(kept, vectors=vectors, asked=asked)
    with np.load(kept) as found:
        return Sentences(texts, found["vectors"], questions, found["asked"])


class Mixer:
    """Makes segments of a subject: (text, vector) of ``dimensions``, as many as wanted."""

    def __init__(self, source: Sentences, dimensions: int, seed: int) -> None:
        self._source = source
        self._random = np.random.default_rng(seed)
        by_subject = source.vectors.reshape(SUBJECTS, source.of_a_subject, -1)
        residual = (by_subject - by_subject.mean(axis=1, keepdims=True)).reshape(len(source.texts), -1)
        self._residual = residual
        self._rotation = rotation(source.vectors.shape[1], dimensions)

    def segments(self, subjects: NDArray[np.int64]) -> tuple[list[str], Matrix]:
        """One segment for each given subject."""
        count, random = len(subjects), self._random
        each = self._source.of_a_subject
        own = subjects[:, None] * each + random.integers(0, each, (count, 5))
        foreign = random.integers(0, len(self._source.texts), count)
        weights = random.dirichlet((2.0, 1.0, 0.7), count).astype(np.float32)
        vectors = np.einsum("nk,nkd->nd", weights, self._source.vectors[own[:, :3]])
        vectors += random.uniform(0, 0.25, (count, 1)).astype(np.float32) * self._source.vectors[foreign]
        vectors += self._noise(count)
        texts = [
            " ".join(self._source.texts[i] for i in (*row, extra)) for row, extra in zip(own, foreign, strict=True)
        ]
        return texts, unit(vectors @ self._rotation)

    def _noise(self, count: int) -> Matrix:
        # A random combination of real residuals has their covariance.
        picked = self._random.integers(0, len(self._residual), (count, 4))
        signs = self._random.normal(0, 0.25, (count, 4)).astype(np.float32)
        return np.einsum("nk,nkd->nd", signs, self._residual[picked])


def rotation(given: int, wanted: int) -> Matrix:
    """Rows of length 1 at right angles: carries vectors into ``wanted`` dimensions with all their distances."""
    if given == wanted:
        return np.eye(given, dtype=np.float32)
    gaussian = np.random.default_rng(3).normal(size=(wanted, given))
    return np.linalg.qr(gaussian)[0].T.astype(np.float32)


def unit(vectors: Matrix) -> Matrix:
    """Each row scaled to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _sentence(generator: np.random.Generator, subject: int) -> str:
    who, verb, thing, place = (str(generator.choice(part.split("|"))) for part in _SUBJECTS[subject])
    name, when, why = (str(generator.choice(options)) for options in (_NAMES, _TIMES, _WHYS))
    code = f"{chr(65 + int(generator.integers(26)))}{int(generator.integers(100, 9999))}"
    shape = int(generator.integers(3))
    if shape == 0:
        return f"The {who} {name} {verb} the {thing} at the {place} {when} {why}."
    if shape == 1:
        return f"At the {place} the {thing} {code} was {verb} by {name}, the {who}, {when}."
    return f"{when.capitalize()} {name} asked the {who} about the {thing} {code} that was {verb} near the {place}."


def _question(generator: np.random.Generator, subject: int, shape: str) -> str:
    who, verb, thing, place = (str(generator.choice(part.split("|"))) for part in _SUBJECTS[subject])
    return shape.format(who=who, verb=verb, thing=thing, place=place)


async def _encoded(cache: Path, texts: tuple[str, ...], questions: tuple[str, ...]) -> tuple[Matrix, Matrix]:
    encoder = LocalEncoder(cache / "model")
    try:
        return await encoder.encode_documents(list(texts)), await encoder.encode_documents(list(questions))
    finally:
        encoder.close()
