"""OpenStack Nova's compute resource tracker."""
