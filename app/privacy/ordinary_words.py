"""Common short words (eight languages). Which two words are prose, and no third one that was pulled apart?

"In a" is no disguise of Ina, nor "just in" one of Justin. Folded as never_list.py folds: no accents.
"""

from __future__ import annotations

_ENGLISH = """
a about above across act add after again age ago air all alone along also am an and any are area arm around
art as ask at away baby back bad bag ball bank bar base be bear beat bed been before began begin behind
being below best better big bill bit black blood blue board boat body book born both box boy bring but buy
by call came can car card care case cause cell centre change city clear close cold colour come control cost
could country course cross cup cut dark data day dead deal dear death decide deep did die do does dog done
door down draw dream drive drop dry due during each ear early earth east easy eat edge else end enough even
ever every eye face fact fall family far farm fast father fear feel few field fight fill film find fine fire
firm first fish five floor fly follow food foot for force form four free friend from front full game gas
gave get girl give glass go god gold good got great green ground group grow had hair half hall hand hang
happy hard has hat have he head hear heart heat held hell help her here high hill him his hit hold home hope
horse hot hour house how ice idea if ill im in into is it its ive job join just keep key kid kill kind king
know lab lady lake land large last late law lay lead learn leave led left leg less let level lie life light
like line list little live local log long look lord lose loss lot love low made main make man many map mar
mark market may me mean meat meet men met mid might mile milk mind mine miss mix model moment money month
more most mother move much music must my name near neck need net never new news next nice night no nor north
not note now number of off office often oil old on once one only open or order other our out over own page
pain pair part party pass past pay peace per person pick piece place plan play point pool poor post power
press price pull push put quick quite race rain ran rate re read real red rest rich right ring rise river
road rob rock role room row rule run safe said sale salt same sand sat save saw say school sea seat second
see seem sell send sense set seven she ship shop short should show shut side sign since single sing sir sit
six size skin sky sleep small so soft some son song soon sort sound south speak spend stage stand star start
state stay step still stop story street strong such sun sure table take talk tax tea team tell ten term test
than that the their them then there these they thin thing think third this those though three through time
to today together told tom too took top town tree trip true try turn two under unit up us use van very view
visit voice wait walk wall want war warm was watch water way we wear week well went were west what when
where which while white who whole why wide wife will win wind window wine wish with woman wood word work
world would write wrong year yes yet you young your
"""
_GERMAN = """
ab aber alle als also am an auch auf aus bei bin bis da das dem den denn der des die dir doch du ein eine
einem einen einer er es fur ganz hab habe hat ich ihm ihn ihr im in ins ist ja kann kein man mehr mein mich
mir mit nach nicht noch nun nur ob oder ohne sein sich sie sind so tag uber um und uns vom von vor war was
weg wenn wer wie wir wo zu zum zur
"""
_FRENCH = """
a ai au aux avec ce ces cet c d dans de des du elle en est et eu il ils j je jour l la le les leur lui m ma
mais me mes moi mon n ne ni nos notre nous on ont ou par pas peu plus pour qu que qui s sa sans se ses si
son sont sur t ta te tes toi ton tout tu un une vos votre vous y
"""
_SPANISH = """
a al asi ano bien como con cual cuando de del desde dia donde dos e el ella en era es esa ese eso esta este
esto fue ha han hay he i la las le les lo los mas me mi mis muy ni no nos o os otra otro para pero por que
se ser si sin sobre son su sus te ti tu tus un una uno y ya yo
"""
_ITALIAN = """
a ad ai al alla alle anche anno c che chi ci come con cosa cui da dai dal dalla degli dei del della delle di
dove e ed era fa fra gli ha hai ho i il in io l la le lei lo loro lui ma me mi mia mio ne nei nel nella noi
non o ogni per piu po poi qua quel se sei si sia sono sta su sul tra tu tua tuo un una uno va vi
"""
_DUTCH = """
aan al als ben bij dan dat de deze die dit doe door een en er ga geen had heb het hij hoe ik in is ja je kan
maar me mee mij mijn naar niet nog nu of om ons ook op over te toe tot uit u uw van veel voor was wat we wel
wie wij ze zich zij zijn zo
"""
_PORTUGUESE = """
a ao aos as ate com da das de dela dele deu do dos e ela ele em era essa esse esta eu foi ha ir isso ja la
lhe mais mas me meu mim na nas nao nem no nos o os ou para pela pelo por que quem se sem ser seu so sou sua
tem ter teu tu um uma vai vem
"""
_POLISH = """
a aby ale ani bo bez byc byl by co czy dla do gdy go i ich ile im ja jak je jego jej jest juz kto ma mam mi
mnie mu my na nad nam nas nie no o od on ona one oni oraz po pod przy sa sie ta tak tam te tego ten to tu
tych tym tylko u w we z za ze zas
"""

ORDINARY = frozenset(
    word
    for language in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN, _DUTCH, _PORTUGUESE, _POLISH)
    for word in language.split()
) | frozenset("abcdefghijklmnopqrstuvwxyz")
