"""Triage: what people write, and what it must and must not set off."""

import pytest

from shared.coach.triage import triage, warning_signs

EMERGENCIES = {
    "my stool is black and tarry": "blood_loss",
    "I hit my head on the rack and have been vomiting": "head_injury",
    "I get chest pain when I climb stairs": "chest_pain",
    "CHEST PAIN during my last set!!": "chest_pain",
    "there's this pressure in my chest": "chest_pain",
    "chest presure and sweating": "chest_pain",
    "it feels like an elephant on my chest": "chest_pain",
    "pain in my chest and arms since this morning": "chest_pain",
    "I think I'm having a heart attack": "chest_pain",
    "My chest gets tight whenever I run": "chest_tightness",
    "pain going down my left arm": "arm_or_jaw_pain",
    "my jaw hurts and I'm sweating": "arm_or_jaw_pain",
    "I fainted in the gym yesterday": "fainting",
    "passed out after deadlifts": "fainting",
    "nearly blacked out on the last rep": "fainting",
    "i feel like i'm going to pass out": "fainting",
    "one side of my face is drooping": "stroke_signs",
    "suddenly numb on one side": "stroke_signs",
    "my speech was slurred for a minute": "stroke_signs",
    "my vision went blurry during squats": "stroke_signs",
    "sudden weakness in my arm": "stroke_signs",
    "I can't breathe even sitting down": "severe_breathlessness",
    "cant catch my breath at rest": "severe_breathlessness",
    "my inhaler isn't helping": "severe_breathlessness",
    "worst headache of my life came on while squatting": "worst_headache",
    "coughing up blood": "blood_loss",
    "my urine is dark brown and my legs are huge": "rhabdomyolysis",
    "cola coloured pee after yesterday's workout": "rhabdomyolysis",
    "honestly I don't want to live anymore": "suicidal_thoughts",
    "I've been having suicidal thoughts": "suicidal_thoughts",
    "my tongue is swelling up": "allergic_reaction",
    "I'm pregnant and bleeding": "pregnancy_emergency",
    "my foot turned blue and cold": "limb_circulation",
    "numbness around my groin and my back is killing me": "spine_emergency",
    "banged my head and now I'm vomiting": "head_injury",
    "I don't feel well, chest pain since morning": "chest_pain",
    "No, I have chest pain": "chest_pain",
    "not sure if it's chest pain": "chest_pain",
    "never had chest pain like this": "chest_pain",
    "no dizziness but chest pain": "chest_pain",
    "my knee is swollen and I have chest pain": "chest_pain",
    "my dad had a heart attack and now I have chest pain too": "chest_pain",
    "I passed out getting out of bed": "fainting",
    "I can't breathe or talk": "severe_breathlessness",
    "I suddenly can't speak properly": "stroke_signs",
    "a sudden, terrible headache, the worst I've ever had": "worst_headache",
    "I keep thinking about hurting myself": "suicidal_thoughts",
}

FOR_A_PROFESSIONAL = {
    "my knee is swollen since Tuesday": "joint_swelling",
    "knee sweling after squats": "joint_swelling",
    "the pain wakes me at night": "night_pain",
    "tingling in my left foot": "nerve_symptoms",
    "pain shooting down my leg": "nerve_symptoms",
    "my shoulder has been hurting for 6 weeks": "lasting_pain",
    "the elbow pain is getting worse": "lasting_pain",
    "I get dizzy when I stand up from the bench": "dizziness",
    "dizzyness between sets": "dizziness",
    "heart palpitations at night": "palpitations",
    "I lost 8 kg without trying": "weight_loss",
    "blood pressure was 185/115 this morning": "high_blood_pressure",
    "BP 190 over 100 today": "high_blood_pressure",
    "my reading: 150/112": "high_blood_pressure",
    "resting heart rate is 125": "fast_resting_pulse",
    "blood sugar was 320 before training": "blood_glucose",
    "glucose 3,1 this morning": "blood_glucose",
    "I have a fever but want to train": "fever",
    "temperature of 38.7": "temperature",
    "I make myself sick after dinner": "eating_disorder",
    "eating 500 calories a day": "eating_disorder",
    "I lost my period since I eat less": "missing_period",
    "lost 9 kg in two months without trying": "weight_loss",
    "should I stop taking my beta blocker before workouts?": "medication_change",
    "my knee keeps giving way": "joint_giving_way",
    "severe left knee pain": "lasting_pain",
    "I get short of breath walking to the bus": "breathless_on_effort",
}

HARMLESS = [
    "no chest pain",
    "I don't have chest pain",
    "I do not have any chest pain, dizziness or shortness of breath at rest",
    "no chest pain or fainting",
    "never had chest pain",
    "without any dizziness",
    "my knee isn't swollen",
    "my chest does not hurt",
    "no numbness or tingling in my legs",
    "shoulder has been pain free for weeks",
    "this workout is killing me",
    "leg day nearly killed me, loved it",
    "my heart sank when I saw the scale",
    "can we move chest day to Friday?",
    "more chest press and less cardio please",
    "sore after leg day",
    "my legs are sore and heavy",
    "I'm dying to try deadlifts",
    "I passed out on the couch after the session",
    "suicide sprints are the worst",
    "that PR almost gave me a heart attack",
    "rower stroke rate 28 feels ok",
    "need to get this off my chest: I skipped a week",
    "fewer days please, work is busy",
    "one cheat meal a week, chest and back otherwise",
    "blood pressure is 128/82, all good",
    "my dad had a heart attack, so I want to get fit",
    "chest feels tight from sitting at a desk, any stretch?",
    "I squat 185/115 kg in a pyramid",
    "aim for 1,800 calories a day",
    "I want to die after those burpees lol",
    "I don't want to hurt myself with bad form",
    "my left side is weaker than my right side",
    "I cut sugar for 30 days",
    "I hurt myself and have a groin strain",
    "my left side is weak on lunges",
    "can't breathe well through my nose",
    "my grandmother had a stroke last year",
    "I had the flu two weeks ago, healthy again",
    "can't move my left arm overhead, the shoulder is stiff",
    "",
    "???",
]


@pytest.mark.parametrize(("text", "topic"), EMERGENCIES.items())
def test_a_sign_of_danger_is_an_emergency(text: str, topic: str) -> None:
    found = triage(text)
    assert (found.escalation, found.topic) == ("emergency", topic)


@pytest.mark.parametrize(("text", "topic"), FOR_A_PROFESSIONAL.items())
def test_a_sign_that_can_wait_goes_to_a_professional(text: str, topic: str) -> None:
    found = triage(text)
    assert (found.escalation, found.topic) == ("see_professional", topic)


@pytest.mark.parametrize("text", HARMLESS)
def test_denials_metaphors_and_gym_talk_set_off_nothing(text: str) -> None:
    found = triage(text)
    assert (found.escalation, found.topic) == ("none", None)


def test_every_sign_of_the_data_is_set_off_by_a_phrase_of_this_table() -> None:
    seen = {*EMERGENCIES.values(), *FOR_A_PROFESSIONAL.values()}
    assert set(warning_signs()) - seen == {"low_oxygen", "heat_stroke"}


def test_oxygen_alarms_by_its_value() -> None:
    assert triage("oxygen saturation 86").topic == "low_oxygen"
    assert triage("oxygen saturation 97").topic is None


def test_an_emergency_tells_the_person_to_get_help_now() -> None:
    urgent = [sign for sign in warning_signs().values() if sign.escalation == "emergency"]
    help_now = ("emergency", "doctor today")
    assert [sign.id for sign in urgent if not any(words in sign.sentence for words in help_now)] == []


def test_case_apostrophes_and_typos_change_nothing() -> None:
    assert {triage(text).topic for text in ("CAN'T BREATHE", "can\u2019t breathe", "cant breathe", "cant brethe")} == {
        "severe_breathlessness"
    }


def test_a_long_text_without_end_is_read_whole_and_fast() -> None:
    assert triage("my knee hurts a bit " * 5000 + "and chest pain").escalation == "emergency"
