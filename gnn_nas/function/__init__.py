"""What the untrained networks around cells do with a few images."""

# Here, as the command shows it before torch has loaded.
STATISTICS = {
    "feature_norm": "logarithm of the mean norm of the images' features, which are the last maps"
    " averaged over pixels",
    "feature_correlation": "mean correlation between the features of two images",
    "feature_rank": "effective rank (Roy & Vetterli 2007) of the centred features",
    "map_rank": "effective rank of the correlations between the last maps of the images",
    "output_spread": "logarithm of the mean standard deviation of a logit over the images",
    "relu_logdet": "log-determinant of the ReLU kernel: the share of ReLUs that two images switch"
    " alike (Mellor et al. 2021, NASWOT, but for dividing by the number of ReLUs)",
    "relu_rank": "effective rank of the ReLU kernel",
    "relu_activity": "share of ReLUs that are on",
    "gradient_norm": "logarithm of the norm of the loss's gradient by the parameters (Abdelfattah"
    " et al. 2021)",
    "snip": "logarithm of the sum of |parameter * gradient| (Lee et al. 2019, SNIP)",
    "jacobian_norm": "logarithm of the mean norm of the loss's gradient by an image",
    "jacobian_rank": "effective rank of the correlations between these gradients of the images"
    " (their spectrum: Mellor et al. 2021)",
    "synflow": "logarithm of the sum of |parameter * gradient| of the summed logits of an image of"
    " ones, all parameters being made positive (Tanaka et al. 2020, SynFlow)",
    "readout": "share of further images whose class ridge regression on all others tells from the"
    " last maps, pooled to 2 by 2",
}
"""What each figure is and where it comes from, by name; their order is that of all values."""
