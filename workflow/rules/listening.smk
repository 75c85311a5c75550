"""Interpretations to listen to: Algorithm 1, and SLIME beside it (paper, Sec. V-A.3).

Whatever the occasion is for which a fold's clips are interpreted, its clips.json says which ones,
for which classes, and in what company: see l2i.interpretation.occasions.
"""

OCCASION = f"{RESULTS}/{{occasion}}/{{dataset}}/fold{{fold}}"
CHOSEN = f"{OCCASION}/clips.json"
INTERPRETED = f"{OCCASION}/{{system}}/{{variant}}/run{{run}}"
# Of the classifier alone, but where a system's would be, so that pages find both alike.
SLIME = f"{OCCASION}/slime/default/run{{run}}"
GRADIENTS = ("integrated_gradients", "grad_cam")  # as l2i.interpretation.attributions has them
BY_GRADIENTS = [f"{OCCASION}/{name}/default/run{{run}}" for name in GRADIENTS]
# Of systems that compare clips with prototypes, which belong to no clip.
PROTOTYPES = f"{RESULTS}/prototypes/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"
INTERPRETATION = settings(*OF_SYSTEM, "listening/threshold", "evaluation/relevance_scale")


# By itself, so that one more clip to listen to makes anew what its fold has, and nothing else.
rule choose_clips:
    input:
        unpack(fold_of),
    output:
        clips=of_occasion("listening", CHOSEN),
    log:
        log_of(of_occasion("listening", f"{OCCASION}/choose_clips.log")),
    retries: 0  # a bad input does not get better by trying again
    localrule: True  # it takes a second
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("choose_clips", settings("datasets/{dataset}/listening", "features", "seed")),
    message:
        "Choosing clips of {wildcards.dataset}, fold {wildcards.fold}, to listen to"
    script:
        "../scripts/choose_clips.py"


rule choose_corrupted:
    input:
        unpack(fold_of),
        chosen=of_occasion("listening", CHOSEN),
    output:
        clips=of_occasion("corrupted", CHOSEN),
    log:
        log_of(of_occasion("corrupted", f"{OCCASION}/choose_corrupted.log")),
    retries: 0
    localrule: True
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("choose_corrupted", settings("corruption/heard_at_db", "features", "seed")),
    message:
        "Choosing what corrupts clips of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/choose_corrupted.py"


rule interpret_clips:
    input:
        unpack(system_of),
        clips=CHOSEN,
    output:
        sounds=directory(INTERPRETED),
    log:
        log_of(f"{INTERPRETED}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("interpret_clips", gpu=True, **TURN),
    params:
        **identity("interpret_clips", INTERPRETATION, system_module),
    message:
        "Writing what {wildcards.system} hears in clips of {wildcards.dataset} ({wildcards.occasion}), "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/interpret_clips.py"


rule explain_by_slime:
    input:
        unpack(fold_of),
        classifier=f"{CLASSIFIER}/model.safetensors.digest",
        clips=CHOSEN,
    output:
        sounds=directory(SLIME),
    log:
        log_of(f"{SLIME}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("explain_by_slime", gpu=True, **TURN),
    params:
        **identity("explain_by_slime", settings(*OF_RECORDINGS, "slime", "seed")),
    message:
        "SLIME: {wildcards.occasion} of {wildcards.dataset}, fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/explain_by_slime.py"


rule explain_by_attribution:
    input:
        unpack(fold_of),
        classifier=f"{CLASSIFIER}/model.safetensors.digest",
        clips=CHOSEN,
    output:
        sounds=[directory(folder) for folder in BY_GRADIENTS],
    log:
        log_of(f"{OCCASION}/explain_by_attribution/run{{run}}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("explain_by_attribution", gpu=True, **TURN),
    params:
        **identity("explain_by_attribution", settings(*OF_RECORDINGS, "attributions")),
    message:
        "Gradients: {wildcards.occasion} of {wildcards.dataset}, fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/explain_by_attribution.py"


rule sound_prototypes:
    input:
        unpack(system_of),
    output:
        sounds=directory(PROTOTYPES),
    log:
        log_of(f"{PROTOTYPES}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("sound_prototypes", gpu=True, **TURN),
    params:
        **identity("sound_prototypes", settings(*OF_SYSTEM), system_module),
    message:
        "Writing the prototypes of {wildcards.system} as sound: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/sound_prototypes.py"
