"""The listening test up to the point where participants rate (paper, Sec. V-A.3, Fig. 4)."""

TEST = f"{RESULTS}/listening_test/{{dataset}}"


include: "helpers/listening_test.smk"


# On a cluster in the job of what it goes by and of what goes by it: SLIME explains what is chosen.
rule choose_stimuli:
    input:
        unpack(fold_of),
        classification=f"{EVALUATION}/classification.csv",
    output:
        clips=of_occasion("stimuli", CHOSEN),
        stimuli=of_occasion("stimuli", f"{OCCASION}/stimuli.csv"),
    log:
        log_of(of_occasion("stimuli", f"{OCCASION}/choose_stimuli.log")),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        **asks("choose_stimuli", **TURN),
    params:
        **identity("choose_stimuli", STIMULI_SETTINGS),
    message:
        "Choosing clips of {wildcards.dataset}, fold {wildcards.fold}, for a listening test"
    script:
        "../scripts/choose_stimuli.py"


rule compose_listening_test:
    input:
        unpack(stimuli_of_test),
    output:
        pack=directory(TEST),
    log:
        log_of(f"{TEST}.log"),
    retries: 0
    localrule: True
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("compose_listening_test", TEST_SETTINGS),
    message:
        "Composing the listening test of {wildcards.dataset}"
    script:
        "../scripts/compose_listening_test.py"
