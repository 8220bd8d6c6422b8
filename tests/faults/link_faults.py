"""F9 and F10: links that swallow, reset, cut or delay what passes."""

from __future__ import annotations

from tests.faults.scenario import Trial, scenario


@scenario(9, "every link in turn: black hole, reset, replies cut in the middle")
def broken_links(trial: Trial) -> None:
    trial.plant.under_way(trial.job_id)
    names = list(trial.plant.links)
    trial.chance.shuffle(names)
    for name in names:
        link = trial.plant.links[name]
        for fault in (link.blackhole, link.reset, lambda link=link: link.cut_replies(trial.chance.randrange(2000))):
            fault()
            trial.plant.wait(trial.hold_s / 6)
            link.heal()
            link.break_connections()
            trial.pause(0.2, 0.6)


@scenario(10, "200 ms more on every link and 1 % of the pieces reset, for the whole job")
def slow_links(trial: Trial) -> None:
    for link in trial.plant.links.values():
        link.delay(0.1, reset_share=0.01)
    # Some twenty ways there and back for each of the 125 small chunks: half an hour at the very most.
    trial.plant.wait_for_end(lambda: trial.over, 1800 if trial.full else 600, 0.5)
