"""Cities (names of large ones). After which words is a number of five digits a postal code, and no ticket?"""

from __future__ import annotations

CITIES = frozenset(
    (
        *("amsterdam", "antwerp", "antwerpen", "athens", "augsburg", "austin", "barcelona", "basel"),
        *("beijing", "belgrade", "berlin", "bern", "bielefeld", "bilbao", "birmingham", "bochum"),
        *("bologna", "bonn", "bordeaux", "boston", "bratislava", "bremen", "brno", "brussels"),
        *("bruxelles", "bucharest", "budapest", "cairo", "chemnitz", "chicago", "copenhagen"),
        *("dallas", "delhi", "denver", "detroit", "dortmund", "dresden", "dublin", "duisburg"),
        *("dusseldorf", "düsseldorf", "edinburgh", "erfurt", "essen", "firenze", "florence"),
        *("frankfurt", "freiburg", "gdansk", "gdańsk", "geneva", "genova", "genève", "ghent"),
        *("glasgow", "graz", "grenoble", "halle", "hamburg", "hannover", "heidelberg", "helsinki"),
        *("houston", "istanbul", "karlsruhe", "kassel", "kiel", "koeln", "krakow", "kraków", "köln"),
        *("leeds", "leipzig", "liege", "lille", "lima", "linz", "lisboa", "lisbon", "liverpool"),
        *("lodz", "london", "lyon", "madrid", "mainz", "malaga", "manchester", "mannheim"),
        *("marseille", "miami", "milan", "milano", "minsk", "montpellier", "moscow", "muenchen"),
        *("mumbai", "munich", "munster", "málaga", "münchen", "münster", "nantes", "napoli", "nice"),
        *("nuernberg", "nürnberg", "oakland", "orlando", "oslo", "ottawa", "palermo", "paris"),
        *("phoenix", "portland", "porto", "potsdam", "poznan", "poznań", "prague", "praha", "reims"),
        *("rennes", "riga", "rijeka", "roma", "rome", "rostock", "rotterdam", "salzburg", "seattle"),
        *("sevilla", "seville", "sofia", "split", "stockholm", "strasbourg", "stuttgart", "sydney"),
        *("tallinn", "tampa", "tokyo", "torino", "toronto", "toulouse", "trieste", "tucson", "turin"),
        *("utrecht", "valencia", "vancouver", "venezia", "verona", "vienna", "vilnius", "warsaw"),
        *("warszawa", "wien", "wiesbaden", "wroclaw", "wrocław", "wuppertal", "zagreb", "zaragoza"),
        *("zurich", "zürich"),
    )
)  # fmt: skip
