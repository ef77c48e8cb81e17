"""The classic crude population: three clusters, three features, each uniform and independent."""

#: Settings of `make_population`; ``CRUDE | {"generator": "integers"}`` draws whole numbers. The
#: postcode has by far the largest range, so an unscaled distance sees little else; and two of the
#: clusters share it.
CRUDE = {
    "features": ["something", "age", "postcode"],
    "generator": "uniform",
    "clusters": {
        "young": {
            "share": 0.25,
            "something": [1, 1],
            "age": [20, 35],
            "postcode": [41760, 41799],
        },
        "settled": {
            "share": 0.5,
            "something": [0, 5],
            "age": [30, 55],
            "postcode": [41760, 41799],
        },
        "elsewhere": {
            "share": 0.25,
            "something": [0, 20],
            "age": [23, 55],
            "postcode": [41260, 41299],
        },
    },
}
