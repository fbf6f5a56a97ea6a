"""The words of the sample documents."""

COFFEE_REPORT = (
    (
        "Kestrel Coffee Roasters: Quarterly Report, Autumn 2026",
        (
            "Revenue rose by eleven percent to 412,000 euros, carried by subscriptions and a new cafe by the harbour.",
            "We roasted 9.4 tonnes of coffee, most of it washed Arabica from Huila in Colombia and from Yirgacheffe.",
            "The price of green coffee stayed high; we fixed two thirds of next year's volume with our cooperatives.",
        ),
    ),
    (
        "Quality and the cupping table",
        (
            "Forty-one lots were cupped. Six scored above eighty-eight points, among them a natural process Gesha with",
            "notes of jasmine, bergamot and ripe peach. Two lots were sent back because of mould from the warehouse.",
            "The second drum roaster had its bearings replaced in September and lost nine working days.",
        ),
    ),
    (
        "Outlook and plans",
        (
            "A solar roof of 60 kilowatts will cover a third of our electricity from March on.",
            "We will train four new baristas, open the roastery for school classes on Thursdays, and stop using",
            "plastic valves in our bags: the compostable replacement passed its six-month shelf test.",
        ),
    ),
)

BICYCLE_GUIDE = """\
---
title: Bicycle Repair for the Impatient
author: Tomas Lindqvist
---
# Bicycle Repair for the Impatient

## Fixing a flat tyre

Take the wheel out, lever one side of the tyre off the rim and pull out the inner tube. Pump it up and listen for the
hiss, or hold it under water and look for bubbles. Roughen the spot around the hole, spread rubber cement thinly, wait
five minutes until it is dull, then press the patch on hard. Before the tube goes back, feel along the inside of the
tyre for the thorn or splinter of glass that did it.

## Adjusting the rear derailleur

If the chain rattles on the middle sprockets, the cable is too slack. Turn the barrel adjuster anticlockwise by half a
turn and shift again. The limit screws marked H and L only stop the chain from falling off at either end.

## Brakes that squeal

Squealing rim brakes are usually badly toed in: the front edge of the pad must touch the rim a millimetre before the
rear edge does. Clean the rim with alcohol first, because grease squeals too.
"""

LIGHTHOUSE_LOG = """\
LOG OF THE KEEPER, SKERRY HOLM LIGHTHOUSE

3 November 1931. Wind north-west, gale by nightfall. Lamp lit at 16.20. The lens was cleaned of salt twice. A brig
passed to the south under reefed topsails and answered our signal.

4 November 1931. The gale took the hen house. Two hens were found in the coal store, offended but alive. Paraffin for
nineteen days remains; the supply boat cannot land in this sea.

7 November 1931. Thick fog. Fog horn sounded every ninety seconds from four in the morning until noon. Assistant keeper
Magnus has the toothache and is not fit company.

11 November 1931. Clear and cold. Saw the northern lights from the gallery, green with a hem of red, for above an hour.
The supply boat came with letters, flour, oil and a newspaper three weeks old.
"""

GARDEN_PAGE = """\
<!doctype html>
<html lang="en">
<head><title>A Balcony Full of Tomatoes</title><meta name="author" content="Ines Okafor">
<meta name="description" content="Growing tomatoes in pots on a small city balcony">
<style>body { font-family: serif }</style></head>
<body>
<h1>A Balcony Full of Tomatoes</h1>
<p>You do not need a garden. A pot of twenty litres, six hours of sun and patience are enough.</p>
<h2>Sowing and potting on</h2>
<p>Sow indoors in late February on a warm window sill. When the seedlings show their first true leaves, move each into a
pot of its own and bury the stem up to the leaves: it will root along its whole length.</p>
<h2>Watering without tears</h2>
<p>Water in the morning and never over the leaves, or late blight will find you. Blossom end rot is a sign of thirst:
the plant could not carry calcium to the fruit.</p>
<table><tr><th>Variety</th><th>Ripe after</th></tr><tr><td>Sungold</td><td>65 days</td></tr>
<tr><td>Black Krim</td><td>80 days</td></tr></table>
</body>
</html>
"""

BREAD_RECIPE = (
    ("Rye Sourdough from Grandmother Aino", ""),
    (
        "Ingredients",
        "500 g whole rye flour, 150 g active starter, 420 ml lukewarm water, 12 g salt, a spoon of caraway.",
    ),
    (
        "Method",
        (
            "Stir everything with a wooden spoon; rye has too little gluten to be kneaded. Let the dough rise "
            "overnight until it has doubled and its top shows small craters. Bake in a greased tin for fifteen "
            "minutes at 250 degrees and for fifty more at 190. Wrap the loaf in linen and wait a whole day "
            "before cutting it, however hard that is."
        ),
    ),
    (
        "If it goes wrong",
        "A gummy crumb means it was cut too early or the oven was too cold. Sour beyond love: feed more.",
    ),
)

NEIGHBOURHOOD_MEETING = (
    ("Agenda item", "Decision", "Who", "Until"),
    ("Playground swing is broken", "Order two new chains and a seat", "Petra", "2026-12-04"),
    ("Bicycle cellar is overflowing", "Tag all bicycles; unclaimed ones go to the repair cafe", "Yusuf", "2027-01-31"),
    ("Noise from the ventilation shaft", "Ask the landlord for a measurement at night", "Marlene", "2026-12-15"),
    ("Summer party", "Second Saturday of June, with the brass band again", "everyone", "2027-06-12"),
)
