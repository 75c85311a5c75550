"""What people read: measured tables in its pages, and the site that is built of them.

`python -m documentation take results/esc10`  copies tables, and facts, to docs/measured/esc10
`python -m documentation print`               rewrites the measured blocks of the pages
`mkdocs build --strict`                       makes the site, by way of `documentation.site`

Nothing of the workflow imports it, and no result hangs on it.
"""
