"""What people read: pages that are generated, in part or whole, and the site built of them.

`python -m documentation take results/esc10`  copies tables, and facts, to docs/measured/esc10
`python -m documentation take results/bench`  keeps the report of the benchmark
`python -m documentation print`               rewrites the measured blocks of the pages
`python -m documentation reference`           rewrites config/README.md, by schema and config.yaml
`python -m documentation licences`            rewrites docs/licences.md, by what is installed
`python -m documentation draw FOLDER`         draws docs/interpretation.png of sounds of a run
`mkdocs build --strict`                       makes the site, by way of `documentation.site`

Nothing of the workflow imports it, and no result hangs on it.
"""
